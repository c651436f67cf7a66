// savevm in the monitor, since 930e239d11, with vm_start() at its end: the snapshot is saved, and the guest runs again, every vCPU of it.

protocol hmp_savevm_ends "HMP savevm, the BQL held during setup (930e239d11): it ends, and the guest runs again";

const BEYOND = RESUME_IN_THE_END;

import "patch/merged.dsl";
import "hmp_savevm_again.dsl";

expect proved;
