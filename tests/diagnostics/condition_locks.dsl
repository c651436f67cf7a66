protocol t;
recursive mutex rec;
cond c;
thread a { lock rec; wait c with rec; } //~ E0504
thread b { signal c; }
