protocol t;
import "../strategies.py"; //~ E0104
import "/etc/passwd"; //~ E0104
thread a { skip; }
