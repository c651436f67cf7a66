// The RAM section's setup alone, under TCG: the bitmap sync sleeps in run_on_cpu() with ramlist and RCU held.
//
// Beside: ram_own_pair.dsl, block.dsl, ../savevm_context_lock_tcg.dsl, ../hmp_savevm_ends_tcg.dsl, ../multifd_sync_ends.dsl

protocol ram "save_setup of the RAM, alone";

const TCG = true;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/ram.dsl";

expect proved;
