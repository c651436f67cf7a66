protocol t;
mutex m;
context x when holds(m) || in_context(y); //~ E0306
context y when in_context(x);
thread a { lock m; unlock m; }
