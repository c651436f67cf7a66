// What constants rule out is read and typed, but an index that is outside there is no mistake, and nothing of it is left.
protocol t;
param N in 1..4 = 2;
mutex m[N];
bool b;
thread w[N] {
    lock m[0];
    if (N > 2) {
        lock m[2];
        assert b == 1; //~ E0401
        await nothing; //~ E0301
    }
    b = N > 3 && holds(w[3], m[3]);
    b = holds(w[3], m[0]); //~ E0405
    unlock m[0];
}
