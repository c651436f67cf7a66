protocol t;
import "no_such.dsl"; //~ E0101
mutex m;
thread a { lock m; unlock m; }
