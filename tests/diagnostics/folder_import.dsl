protocol t;
import "."; //~ E0102
thread a { skip; }
