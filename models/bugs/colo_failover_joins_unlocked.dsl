// COLO's failover as fixed (Lei Rao, "Fixed SVM hang when do failover before PVM crash", Jun 2021): the BQL is given away for the join,
// and taken back before the RAM cache is freed.
//
// The thread goes on to its end, through what is left of its checkpoint. The cache outlives it.
//
// Beside: colo_failover_joins_locked.dsl

protocol colo_failover_joins_unlocked "COLO failover, the BQL given away for the join (as fixed)";

const DROP_BQL_AROUND_JOIN = true;

import "colo_failover.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: duplicate schedule * in *: a bottom half that is pending already, or a second failover, which finds the thread at its end
// Survives: duplicate secondary_vm_do_failover() in colo_failover_bh: the same
// Survives: duplicate process_incoming_migration_co() in secondary_vm_do_failover: the same
// Survives: swap assert not_loading*; from_src_file_shut = true in secondary_vm_do_failover: all under the BQL
// Survives: duplicate from_src_file_shut = true in secondary_vm_do_failover: the same value again
// Survives: duplicate join colo_incoming_thread in process_incoming_migration_co: it has ended already
// Survives: duplicate colo_release_ram_cache() in process_incoming_migration_co: the same value again
// Survives: duplicate ram_cache = false in colo_release_ram_cache: the same value again
// Survives: duplicate colo_incoming_process_checkpoint() in colo_incoming_thread: two checkpoints in a row
// Survives: drop await from_src_file_shut in colo_incoming_thread: a primary that says nothing: it looks again instead of waiting
// Survives: duplicate await from_src_file_shut in colo_incoming_thread: it looks twice
// Survives: * vm_stop_force_state() in colo_incoming_process_checkpoint: nothing of it is here but what it requires
// Survives: * qemu_loadvm_state_main() in colo_incoming_process_checkpoint: the same
// Survives: * colo_flush_ram_cache() in colo_incoming_process_checkpoint: nothing of it is here but what it requires and asserts
// Survives: never: if (from_src_file_shut)* in *: then the checkpoint goes on to its end, from what has come; the cache outlives it
// Survives: always: if (from_src_file_shut)* in *: a checkpoint that is broken off: some of the runs
// Survives: negate: if (from_src_file_shut)* in *: some that are broken off, and some that go on
// Survives: duplicate vmstate_loading = * in colo_incoming_process_checkpoint: the same value again
// Survives: drop os_host_main_loop_wait() in main_loop: the BQL is then free for the join alone: some of the runs
// Survives: duplicate os_host_main_loop_wait() in main_loop: a turn with nothing in it
// Survives: swap os_host_main_loop_wait(); poll main_context in main_loop: begins with the second half of a turn
// Survives: duplicate poll * in main_loop: two of a turn, as glib
// Survives: swap poll main_context; poll iohandler_context in main_loop: the order of sources
