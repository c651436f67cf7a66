protocol t;
mutex m;
0..3 broken = nowhere; //~ E0301
thread a {
    lock nothing; //~ E0301
    broken = 1;
    await broken > 2;
    unlock m;
    x = 1; //~ E0301
}
invariant broken < 3;
thread b { lock m; break; } //~ E0502
