// A background snapshot's setup before 930e239d11: header and setup without the BQL, ram_init_bitmaps() takes it all
// the same. It is for memory_global_dirty_log_start(), which a background snapshot does not call.
//
// Beside: bg_migration_ends.dsl, multifd_sync_locked.dsl, save_setup/ram.dsl, save_setup/ram_own_pair.dsl

protocol bg_migration_before "a background snapshot's setup, callbacks lock for themselves (before 930e239d11)";

import "patch/none.dsl";
import "bg_migration.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop requires.ram_save_setup in ram_save_setup: before the patch it asks for nothing
// Survives: swap callback_takes_bql(); with ramlist in ram_init_bitmaps: nobody else takes the lock of the RAM's list here
// Survives: swap with ramlist; callback_gives_bql_back() in ram_init_bitmaps: what this model has under it asks for that lock alone
// Survives: swap qemu_savevm_state_setup(); skip in bg_migration_thread: the skip stands for what takes no lock
