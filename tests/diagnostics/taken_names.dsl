protocol t;
thread_local bool status = false; //~ E0307
thread_local 0..3 stack = 0; //~ E0307
thread_local bool state = false;
thread a {
    state = true;
    assert state;
}
