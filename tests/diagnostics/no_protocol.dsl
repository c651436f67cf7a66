//! E0107
mutex m;
thread a { lock m; unlock m; }
