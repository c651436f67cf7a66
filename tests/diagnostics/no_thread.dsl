//! E0108
protocol t;
bool x;
invariant x;
