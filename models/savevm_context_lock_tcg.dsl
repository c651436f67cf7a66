// snapshot-save under TCG, with the lock of main_context (gone in 9.0), in the version of the patch that never drops the BQL at all: the
// bitmap sync gives it back in run_on_cpu(), with that lock held, and takes it again. That is enough for the deadlock of
// savevm_context_lock.dsl; without TCG this version has none.

protocol savevm_context_lock_tcg "snapshot-save, the BQL never dropped but in run_on_cpu(), with the AioContext's lock";

const BEYOND = CONTEXT_LOCK_RUN_ON_CPU;

import "patch/posted_first.dsl";
import "savevm_qmp.dsl";

expect violated deadlock.partial;
expect violated deadlock.lock_order;
expect violated deadlock.global;
