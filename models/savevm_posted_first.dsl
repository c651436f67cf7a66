// snapshot-save with the patch as first posted: the snapshot holds the BQL, the callbacks take it unless it is held.
//
// Safe, as far as this model goes: the BQL is never dropped at all. What was merged instead holds the BQL for migrations too, so that the
// callbacks need no conditional locking; that, not a bug here, is the reason that the commit's text gives.
//
// Beside: savevm_unlocked.dsl, savevm_resume.dsl, hmp_savevm_ends.dsl

protocol savevm_posted_first "snapshot-save, callbacks take the BQL unless it is held (posted first)";

const BEYOND = NOTHING;

import "patch/posted_first.dsl";
import "savevm_qmp.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop requires.ram_save_setup in ram_save_setup: as posted it asks for nothing: the callback takes the BQL unless it is held
// Survives: drop assert.no_work_left in process_queued_cpu_work: without TCG nobody queues work: savevm_locked_tcg.dsl, save_setup/ram.dsl
