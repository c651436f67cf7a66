protocol t;
mutex m;
thread a { lock m; unlock m; }
expect violated relok; //~ E0304
disable deadlock.glob; //~ E0304
