// A background snapshot's setup before 930e239d11: header and setup without the BQL, ram_init_bitmaps() takes it all
// the same. It is for memory_global_dirty_log_start(), which a background snapshot does not call.
//
// Beside: bg_migration_ends.dsl, multifd_sync_locked.dsl, save_setup/ram.dsl, save_setup/ram_own_pair.dsl

protocol bg_migration_before "a background snapshot's setup, callbacks lock for themselves (before 930e239d11)";

import "patch/none.dsl";
import "bg_migration.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: * qemu_savevm_state_setup() in bg_migration_thread: a setup leaves nothing behind that what follows here would look at
// Survives: duplicate invoke save_setup in qemu_savevm_state_setup: the callbacks do the same again
// Survives: duplicate bg_migration_thread() in migration_thread: a second snapshot behind the first
// Survives: duplicate vm_stop() in bg_migration_thread: to stop twice is to stop
// Survives: swap skip; schedule bg_migration_vm_start_bh in bg_migration_thread: who would run it has to wait for the BQL
// Survives: swap schedule bg_migration_vm_start_bh; qemu_mutex_unlock_iothread() in bg_migration_thread: scheduling takes no lock
// Survives: duplicate schedule bg_migration_vm_start_bh in bg_migration_thread: it is pending already, or starts a guest that runs
// Survives: duplicate vm_start() in bg_migration_vm_start_bh: the guest runs already
// Survives: drop poll default_main_context in main_loop: nothing is in that context here
// Survives: * main_loop_should_exit() in main_loop: only a vCPU leaves a request, and none stops the guest here
// Survives: drop assert.no_work_left in process_queued_cpu_work: without TCG nobody queues work: savevm_locked_tcg.dsl, save_setup/ram.dsl
// Survives: drop requires.ram_save_setup in ram_save_setup: before the patch it asks for nothing
// Survives: swap callback_takes_bql(); with ramlist in ram_init_bitmaps: nobody else takes the lock of the RAM's list here
// Survives: swap with ramlist; callback_gives_bql_back() in ram_init_bitmaps: what this model has under it asks for that lock alone
// Survives: swap qemu_savevm_state_setup(); skip in bg_migration_thread: the skip stands for what takes no lock
