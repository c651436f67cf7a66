//! E0108
protocol t;
thread a { skip; }
