protocol t;
bool x;
mutex m;
proc nothing() { }
proc something() { lock m; unlock m; }
thread a { loop { } } //~ E0501
thread b { loop { nothing(); } } //~ E0501
thread c { loop { if (x) { continue; } } }
thread d { loop { something(); } }
thread e { while (true) { for i in 0..2 { } } } //~ E0501
thread f { loop { break; } x = true; }
thread g { loop { loop { break; } } } //~ E0501
