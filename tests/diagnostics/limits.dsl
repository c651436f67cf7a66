protocol t;
mutex m;
bool big[1000000]; //~ E0601
thread v[1000000000] { lock m; } //~ E0601
thread a { for i in 0..1000000000 { skip; } } //~ E0601
nesting 1000; //~ E0601
thread b { lock m; unlock m; }
