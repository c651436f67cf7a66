//! E0601
protocol t;
rwlock r[4096];
cond c[4096];
thread t[200] { rdlock r[0]; rdunlock r[0]; signal c[0]; }
