// A migration's setup under TCG, as QEMU 7.2 logs it: migration_thread_before.dsl with run_on_cpu(), in which who syncs the bitmap sleeps.
//
// Before 930e239d11. The shipped models of a migration leave run_on_cpu() out (TCG); a log under TCG has it.
//
// Beside: ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl, ../save_setup/ram_own_pair.dsl
// Beside: ../hmp_savevm_ends_tcg.dsl, ../savevm_context_lock_tcg.dsl

protocol migration_tcg_before "a migration's setup under TCG, callbacks lock for themselves (before 930e239d11)";

const BACKGROUND_SNAPSHOT = false;
const ANY_ORDER = false;
const TCG = true;
const EARLY_SETUP = false;

import "../patch/none.dsl";
import "../migration.dsl";
import "../multifd_off.dsl";
import "../callbacks/ram.dsl";

proc mmio_exit() { }

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop requires.ram_save_setup in ram_save_setup: before the patch it asks for nothing
