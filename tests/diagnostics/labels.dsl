protocol t;
thread a { here: skip; }
thread b { here: skip; there: skip; }
invariant at(a, here);
invariant at(b, there);
invariant at(a, nowhere); //~ E0303
invariant at(a, b.elsewhere); //~ E0303
invariant forall t in thread: at(t, here); //~ E0303
