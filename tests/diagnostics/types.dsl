protocol t;
enum e { RED, GREEN }
e k = RED;
0..3 n;
bool x;
sem s max 1;
context c;
thread a {
    if (n) { skip; } //~ E0401
    x = 1; //~ E0401
    n = true; //~ E0401
    k = 1; //~ E0401
    await k < GREEN; //~ E0401
    await k == n; //~ E0401
    await !n; //~ E0401
    await x + 1 > 0; //~ E0401
    x = x ? 1 : false; //~ E0401
    await current_context() == a; //~ E0401
    await s; //~ E0401
    wait s;
    post s;
    poll c;
}
const bad = true + 1; //~ E0401
param P in bool = 3; //~ E0401
