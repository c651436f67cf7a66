protocol t;
mutex m;
cond c;
context x;
bool b;
bh later on x { b = true; }
proc polls() {
    poll x; //~ E0503
}
proc down() { if (b) { down(); } }
thread a {
    atomic { poll x; } //~ E0503
    atomic { aio_wait_while x (b); } //~ E0503
    atomic { wait c with m; } //~ E0503
    atomic { loop { break; } } //~ E0503
    atomic { atomic { skip; } } //~ E0503
    atomic { polls(); }
    atomic { down(); } //~ E0503
    schedule later;
    lock m;
    signal c;
}
