// Dirty logging since 4987783400: ram_init_bitmaps() takes the BQL for itself, before the RAM list's lock, as the main loop does.
//
// Beside: dirty_log_start_unlocked.dsl, dirty_log_sync_waits.dsl

protocol dirty_log_start_locked "dirty logging, ram_init_bitmaps() takes the BQL (4987783400)";

const RAM_INIT_TAKES_BQL = true;
const CALLER_HOLDS_BQL = false;
const RUN_ON_CPU = false;

import "dirty_log_start.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: negate: await* in os_host_main_loop_wait: it may leave the memory backend out: some of the runs
// Survives: swap memory_region_transaction_depth = *; memory_region_update_pending = true in *: both under the BQL
// Survives: duplicate memory_global_dirty_log_start() in ram_init_bitmaps: a second transaction behind the first
// Survives: duplicate ram_init_bitmaps() in migration_thread: the same again
// Survives: duplicate schedule do_qmp_dispatch_bh in mon_iothread: it is pending already, or a second memory backend
// Survives: drop os_host_main_loop_wait() in main_loop: a main loop that keeps the BQL keeps all others from their transactions
// Survives: duplicate os_host_main_loop_wait() in main_loop: a turn with nothing in it
// Survives: swap os_host_main_loop_wait(); poll iohandler_context in main_loop: begins with the second half of a turn
// Survives: drop memory_region_add_subregion() in main_loop: the vCPUs' transactions are there still
// Survives: drop memory_region_add_subregion() in vcpu: the main loop's transactions are there still
// Survives: duplicate memory_region_add_subregion() in *: two transactions in a row
