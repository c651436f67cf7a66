protocol t;
0..3 n;
mutex m[n]; //~ E0404
const C = n; //~ E0404
context x home w[n]; //~ E0404
thread w[2] { n = 1; lock m[0]; poll x; }
