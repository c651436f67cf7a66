protocol t;
mutex m;
mutex chan[2];
bool stop[w];
thread w[2] {
    lock m[0]; //~ E0403
    lock chan; //~ E0403
    lock chan[true]; //~ E0403
    stop[0] = true; //~ E0403
    stop[self] = true;
    lock chan[0];
    await finished(w); //~ E0403
    lock m;
}
mutex odd[w]; //~ E0403
