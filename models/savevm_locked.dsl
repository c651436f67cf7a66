// snapshot-save since 930e239d11: the BQL is held during the setup, but for a moment around multifd_send_sync_main().
//
// Whichever thread runs snapshot_save_job_bh, it is in main_context whenever it waits in the block layer, and holds the BQL there.
// This is about the setup. A vCPU that runs the whole job still goes wrong elsewhere: savevm_resume.dsl, savevm_drained.dsl and
// savevm_context_lock.dsl.
//
// Beside: savevm_unlocked.dsl, savevm_resume.dsl, hmp_savevm_ends.dsl

protocol savevm_locked "snapshot-save, the BQL held during setup (930e239d11)";

const BEYOND = NOTHING;

import "patch/merged.dsl";
import "savevm_qmp.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop assert.no_work_left in process_queued_cpu_work: without TCG nobody queues work: savevm_locked_tcg.dsl, save_setup/ram.dsl
