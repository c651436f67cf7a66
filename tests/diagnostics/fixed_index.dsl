protocol t;
mutex chan[2];
cond c[2];
0..1 n;
proc guarded(ref mutex m) { with m { n = 1; } }
proc by_value(0..1 i) {
    with chan[i] { skip; } //~ E0411
}
thread w[i: 2] {
    with chan[n] { n = 1; } //~ E0411
    lock chan[0];
    wait c[n] with chan[0]; //~ E0411
    wait c[0] with chan[n]; //~ E0411
    unlock chan[0];
    with chan[i] { skip; }
    with chan[1 - i] { skip; }
    for j in 0..1 { with chan[j] { skip; } }
    guarded(chan[n]);
    by_value(i);
}
thread u { signal c[0]; signal c[1]; }
