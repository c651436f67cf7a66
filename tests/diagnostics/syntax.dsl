protocol t;
mutex m
thread a { lock m; unlock m; } //~ E0201
mutex lock; //~ E0201
thread b { lock m unlock m; } //~ E0201
thread c {
    if (true { skip; } //~ E0201
}
thread d { lock m; unlock m; }
boolx; //~ E0201
