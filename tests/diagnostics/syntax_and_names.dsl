// A syntax error hides nothing but what depends on it.
protocol t;
mutex ; //~ E0201
const LIMIT = = 2; //~ E0201
0..LIMIT n;
thread a {
    lock later; //~ E0301
    n = 1;
    n = true;
    b = 1; //~ E0401
}
bool b;
invariant n < LIMIT;
