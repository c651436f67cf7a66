protocol t;
const N = 99999999999; //~ E0203
const M = 2147483647;
const O = M + 1; //~ E0203
const Q = 123456789012345678901234567890; //~ E0203
mutex m[M]; //~ E0601
thread a { assert N > 1; assert O > M; assert Q > 0; }
