// snapshot-save since 930e239d11, the header flushed: the locked section covers it too.
//
// Beside: savevm_unlocked.dsl, savevm_resume.dsl, hmp_savevm_ends.dsl, savevm_header_unlocked.dsl

protocol savevm_header_locked "snapshot-save, the BQL held during setup (930e239d11), the header flushed";

const BEYOND = HEADER_FLUSH;

import "patch/merged.dsl";
import "savevm_qmp.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop assert.no_work_left in process_queued_cpu_work: without TCG nobody queues work: savevm_locked_tcg.dsl, save_setup/ram.dsl
// Survives: duplicate qemu_savevm_state_header() in qemu_savevm_state: what the stream says, and in which order, is no part of the model
// Survives: swap qemu_savevm_state_header(); qemu_savevm_state_setup() in qemu_savevm_state: the same
// Survives: duplicate qemu_fflush() in qemu_savevm_state_header: nothing is left to be flushed the second time
