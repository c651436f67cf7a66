protocol t;
mutex m;
mutex m; //~ E0302
enum e { A, B }
enum f { B, C } //~ E0302
bool holds; //~ E0302
proc p(bool q, ref mutex q) { skip; } //~ E0302
thread a {
    bool x = false;
    if (x) {
        bool x = true; //~ E0302
    }
    l: skip;
    l: skip; //~ E0302
    assert one: x;
    assert one: x; //~ E0302
    lock m;
}
invariant i: true || finished(a);
invariant i: finished(a); //~ E0302
