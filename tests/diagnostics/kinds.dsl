protocol t;
mutex m;
sem s max 1;
rwlock r;
event e;
cond c;
bool x;
context k;
hook h;
thread a {
    lock s; //~ E0402
    rdlock m; //~ E0402
    wait m; //~ E0402
    post e; //~ E0402
    signal e; //~ E0402
    poll m; //~ E0402
    schedule k; //~ E0402
    invoke m; //~ E0402
    for i in m { skip; } //~ E0402
    wrlock r; wrunlock r; lock m; broadcast c; set e; wait s; poll k;
    x = true;
    spawn x; //~ E0402
}
bh b on m { skip; } //~ E0402
callback f for m { skip; } //~ E0402
callback g for h { skip; }
thread z { invoke h; }
