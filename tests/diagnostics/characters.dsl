protocol t;
mutex m;
thread a { lock m$; } //~ E0202
thread b { assert true "no end; } //~ E0202
