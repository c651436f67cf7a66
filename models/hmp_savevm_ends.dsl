// savevm in the monitor, since 930e239d11, with vm_start() at its end: the snapshot is saved, and the guest runs again, every vCPU of it.
//
// Beside: hmp_savevm_unlocked.dsl, savevm_unlocked.dsl, savevm_resume.dsl, savevm_context_lock_tcg.dsl, save_setup/ram.dsl

protocol hmp_savevm_ends "HMP savevm, the BQL held during setup (930e239d11): it ends, and the guest runs again";

const BEYOND = RESUME_IN_THE_END;

import "patch/merged.dsl";
import "hmp_savevm_again.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop assert.no_work_left in process_queued_cpu_work: without TCG nobody queues work: savevm_locked_tcg.dsl, save_setup/ram.dsl
