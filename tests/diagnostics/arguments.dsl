protocol t;
mutex m;
sem s; //~ E0406
bool x;
bool two[2] = { true }; //~ E0406
oneshot bh b on c { skip; } //~ E0406
bh plain on c max 2 { skip; } //~ E0406
context c;
proc p(bool v, ref mutex q) { lock q; unlock q; x = v; }
proc q(ref 0..3 n) { n = 1; }
thread a {
    p(true); //~ E0406
    p(true, m);
    await holds(); //~ E0406
    q(x); //~ E0406
    poll c;
}
mutex counted max 2; //~ E0406
