// savevm in the monitor, since 930e239d11.

protocol hmp_savevm_locked "HMP savevm, the BQL held during setup (930e239d11)";

const BEYOND = NOTHING;

import "patch/merged.dsl";
import "savevm_hmp.dsl";

expect proved;
