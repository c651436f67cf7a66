// A statement that cannot be read makes nothing else look wrong.
protocol t;
mutex m;
thread a {
    loop { lock nothing; } //~ E0301
}
proc p() returns bool { return nothing; } //~ E0301
proc q(nothing x) { x = 1; } //~ E0301
thread b {
    nothing x = 1; //~ E0301
    x = 2;
    if (nowhere) { lock elsewhere; } //~ E0301 E0301
    with m2 { await nobody; } //~ E0301 E0301
    q(1);
}
