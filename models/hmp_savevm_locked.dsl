// savevm in the monitor, since 930e239d11.
//
// Beside: hmp_savevm_unlocked.dsl, hmp_savevm_ends.dsl, savevm_unlocked.dsl

protocol hmp_savevm_locked "HMP savevm, the BQL held during setup (930e239d11)";

const BEYOND = NOTHING;

import "patch/merged.dsl";
import "savevm_hmp.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop assert.no_work_left in process_queued_cpu_work: without TCG nobody queues work: savevm_locked_tcg.dsl, save_setup/ram.dsl
