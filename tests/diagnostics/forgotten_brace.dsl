protocol t;
mutex m;
thread a {
    lock m;
    unlock m; //~ E0201
thread b { lock m; unlock m; }
mutex m2
thread c { skip; } //~ E0201
