protocol t;
bool x;
proc p() returns bool { if (x) { return true; } } //~ E0409
proc q() { return 1; } //~ E0409
proc r() returns bool { return; } //~ E0409
proc s() returns bool { loop { return x; } }
proc u() returns 0..3 ensures result > 0 { return 1; }
proc v() { skip; }
thread a {
    x = v(); //~ E0409
    x = s();
    u();
    p(); q(); r();
}
invariant result; //~ E0409
