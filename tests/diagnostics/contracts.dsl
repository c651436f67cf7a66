protocol contracts "clauses that make no sense"; // the hook below is mistaken, clause by clause
mutex l;
mutex many[2];
recursive mutex deep;
rwlock r;
context ctx;
bool flag = false;

hook good {
    requires holds(l);
    ensures holds(l);
    may drop l by give, take;
    may rdlock r;
    may poll ctx if true requires holds(l);
    may call act once by f requires !holds(l);
    thread may lock l;
}

hook bad {
    requires flog; //~ E0301
    requires count(l) == 0; //~ E0402
    ensures 1; //~ E0401
    may drop r; //~ E0402
    may drop l by give, ctx; //~ E0408
    may lock many; //~ E0403
    may lock deep; //~ E0402
    may rdunlock r; //~ E0402
    may wrlock r, r; //~ E0302
    may poll ctx if flag; //~ E0404
    may poll l; //~ E0402
    may call with_value; //~ E0406
    may call f; //~ E0408
    may call unknown; //~ E0301
    thread may lock lo; //~ E0301
}

proc give() {
    unlock l;
}

proc take() {
    lock l;
}

proc act() {
    skip;
}

proc with_value(bool b) {
    flag = b;
}

callback f for good {
    skip;
}

thread t {
    lock l;
    invoke good;
    invoke bad;
    lock many[0];
    lock deep;
    wrlock r;
    with_value(flag);
    act();
    take();
    give();
    poll ctx;
}
