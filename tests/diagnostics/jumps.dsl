protocol t;
mutex m;
thread a { lock m; break; } //~ E0502
thread b { lock m; if (true) { continue; } } //~ E0502
