protocol t;
bool x;
hook h;
hook g;
proc p() { invoke any h; } //~ E0505
callback f for h { if (x) { p(); } }
callback k for g { if (x) { invoke any g; } } //~ E0505
callback l for g { invoke any h; }
thread t { invoke any h; invoke any g; x = true; assert x; }
