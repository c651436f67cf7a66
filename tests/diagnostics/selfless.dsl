protocol t;
mutex m;
thread_local bool mine;
thread a { lock m; mine = true; }
invariant holds(m); //~ E0407
invariant mine; //~ E0407
invariant owner(m) != self; //~ E0407
