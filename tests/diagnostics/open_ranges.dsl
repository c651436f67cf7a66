protocol t;
param P in 1..* = 2;
0..* x; //~ E0412
param Q in 1..* = 0; //~ E0405
thread w[P] { 0..* y; x = 1; } //~ E0412
proc p(0..* n) { } //~ E0412
