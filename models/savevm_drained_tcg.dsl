// As savevm_drained.dsl, in the version of the patch that never drops the BQL at all: under TCG run_on_cpu() gives it back in the drained
// section, and takes it again. That is enough for the same hang; without TCG this version has none.

protocol savevm_drained_tcg "snapshot-save, the BQL never dropped but in run_on_cpu(), in its drained section";

const BEYOND = DRAIN_RUN_ON_CPU;

import "patch/posted_first.dsl";
import "savevm_qmp.dsl";

expect violated deadlock.global;
