protocol t;
const C = 1;
param P in 1..2 = 1;
mutex m;
thread a[i: 2] {
    C = 2; //~ E0410
    P = 2; //~ E0410
    i = 1; //~ E0410
    for j in 0..C { j = 1; } //~ E0410
    lock m;
    unlock m;
}
