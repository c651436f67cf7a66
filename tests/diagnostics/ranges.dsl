protocol t;
0..3 x = 4; //~ E0405
3..1 y; //~ E0405
param P in 1..4 = 0; //~ E0405
mutex m[0]; //~ E0405
mutex chan[2];
thread w { lock chan[2]; } //~ E0405
thread u { lock chan[1]; unlock chan[1]; }
sem s max 1 = 2; //~ E0405
