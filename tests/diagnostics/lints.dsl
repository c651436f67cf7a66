protocol t;
mutex m;
mutex unused; //~ W0701
mutex never; //~ W0705
bool idle_flag; //~ W0701
const SPARE = 3; //~ W0701
enum phase { ONE, TWO } //~ W0701
proc helper() { skip; } //~ W0701
hook empty; //~ W0701
context x;
context y;
bh silent on x { skip; } //~ W0706
bh unpolled on y { skip; } //~ W0706
thread a {
    lock m;
    unlock m;
    poll x;
    schedule unpolled;
    await 1 > 2; //~ W0703
    assert 1 < 2; //~ W0704
    return;
    skip; //~ W0702
}
thread b { loop { lock m; unlock m; } skip; } //~ W0702
invariant true; //~ W0704
invariant owner(never) == none;
