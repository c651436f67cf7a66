protocol t;
const A = B + 1; //~ E0305
const B = A;
const C = A;
mutex m;
thread a { lock m; unlock m; }
