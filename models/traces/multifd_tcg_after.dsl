// A migration's setup with multifd under TCG, as QEMU 7.2 logs it: multifd_sync_unlocked_7_2.dsl with run_on_cpu().
//
// Since 930e239d11. The shipped models of multifd leave run_on_cpu() out (TCG); a log under TCG has it.
//
// Beside: ../multifd_sync_locked_7_2.dsl, ../multifd_sync_unlocked_7_2.dsl, ../multifd_sync_ends.dsl, ../save_setup/ram_own_pair.dsl
// Beside: ../hmp_savevm_ends_tcg.dsl, ../savevm_context_lock_tcg.dsl

protocol multifd_tcg_after "multifd setup under TCG, the BQL held (930e239d11)";

const BACKGROUND_SNAPSHOT = false;
const ANY_ORDER = false;
const TCG = true;
const EARLY_SETUP = false;
const SYNC_WAITS_CHANNELS_READY = false;         // 7.2

import "../patch/merged.dsl";
import "../migration.dsl";
import "../multifd.dsl";
import "../callbacks/ram.dsl";

proc mmio_exit() { }

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: swap post sem_sync[c]; post channels_ready in multifd_send_thread: only pages wait for the count in 7.2, and there are none
