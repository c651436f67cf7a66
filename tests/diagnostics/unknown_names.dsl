protocol t;
mutex BQL;
context main_context;
bool x;
thread a {
    lock BLQ; //~ E0301
    unlock BQL;
    x = y; //~ E0301
    poll main_contxt; //~ E0301
    frob(); //~ E0301
    invoke hoook; //~ E0301
    await hold(BQL); //~ E0301
    await a.locked; //~ E0301
}
bh b on nowhere { skip; } //~ E0301
thread c { schedule b; }
foo z; //~ E0301
callback f for nothing { skip; } //~ E0301
