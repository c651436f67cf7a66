protocol t;
bool x;
hook h;
proc p() returns bool { return x; }
callback f for h { x = true; }
thread a {
    if (p()) { skip; } //~ E0408
    x; //~ E0408
    a(); //~ E0408
    f(); //~ E0408
    x = p;  //~ E0408
    x = p();
    invoke h;
}
