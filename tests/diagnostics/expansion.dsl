protocol t;
bool x;
proc p0() { x = true; x = false; }
proc p1() { p0(); p0(); p0(); p0(); p0(); p0(); p0(); p0(); p0(); p0(); }
proc p2() { p1(); p1(); p1(); p1(); p1(); p1(); p1(); p1(); p1(); p1(); }
proc p3() { p2(); p2(); p2(); p2(); p2(); p2(); p2(); p2(); p2(); p2(); }
proc p4() { p3(); p3(); p3(); p3(); p3(); p3(); p3(); p3(); p3(); p3(); }
proc p5() { p4(); p4(); p4(); p4(); p4(); p4(); p4(); p4(); p4(); p4(); }
thread a { p5(); } //~ E0601
invariant !x;
