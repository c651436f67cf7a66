protocol t;
const A = B + 1;
const B = A; //~ E0305
const C = A;
mutex m;
thread a { lock m; unlock m; }
