// savevm in the monitor, that it ends, and that the guest runs again: what hmp_savevm_ends*.dsl share.

import "savevm_hmp.dsl";

strong fair main_loop;                           // the BQL is not fair
strong fair vcpu;

liveness command_ends: eventually saved;
liveness guest_runs_again: current_run_state == RUN_STATE_SAVE_VM leads to current_run_state == RUN_STATE_RUNNING;
liveness vcpus_run_again: (exists v in vcpu: stopped[v])
    leads to (forall v in vcpu: !stopped[v] && !stop[v] && !at(v, qemu_wait_io_event.idle));
// The command ends behind vm_start(): the user has the guest running again by then.
invariant runs_when_saved: saved implies current_run_state == RUN_STATE_RUNNING;

// What survives `formal mutate`, and why. Beside liveness only mutants with the same steps count as equivalent.
// Survives: * memory_global_dirty_log_start() in ram_init_bitmaps: nothing of the log is here but the BQL that it requires
// Survives: * memory_region_transaction_commit() in memory_global_dirty_log_start: the same
// Survives: swap memory_global_dirty_log_start(); migration_bitmap_sync() in ram_init_bitmaps: the same
// Survives: * ramblock_sync_dirty_bitmap() in migration_bitmap_sync: nothing of the bitmap is here but what it requires
// Survives: swap with bitmap_mutex; for a in 0..1 in migration_bitmap_sync: nobody else takes that mutex
// Survives: take apart atomic { queued = true; broadcast halted; } in run_on_cpu: under the BQL
// Survives: duplicate vmstate_written = true in bdrv_co_writev_vmstate_entry: it is true already
// Survives: duplicate pflash_written[v] = true in blk_co_pwrite_entry: it is true already
// Survives: take apart atomic { vmstate_written = false; } in bdrv_writev_vmstate: nobody else looks at it
// Survives: drop vmstate_written = false in bdrv_writev_vmstate: there is one flush, and nobody looks again
// Survives: take apart atomic { written = false; } in pflash_update: nobody else looks at it
// Survives: drop written = false in pflash_update: the assertion of the vCPU's next store says less; what happens is the same
// Survives: duplicate aio_wait_while main_context (in_progress) in bdrv_poll_co: what it waits for has ended already
// Survives: duplicate vm_stop() in save_snapshot: to stop twice is to stop
// Survives: duplicate vm_start() in save_snapshot: the guest runs already
// Survives: swap assert set_up: setups == 1*; vm_start() in save_snapshot: to start the guest is no part of the setup
// Survives: duplicate saved = true in save_snapshot: it is true already
// Survives: swap invoke save_setup; setups = setups + 1 in qemu_savevm_state_setup: nobody looks before qemu_savevm_state() returns
// Survives: duplicate poll iohandler_context in main_loop: two of a turn, as glib
// Survives: swap poll iohandler_context; main_loop_should_exit() in main_loop: no request is left: the main loop runs the command itself
// Survives: duplicate main_loop_should_exit() in main_loop: the same
// Survives: swap choose; qemu_wait_io_event(halt_cond[v], work_queued[v]) in vcpu: each turn looks at its requests, if sooner
// Survives: drop qemu_wait_io_event(halt_cond[v], work_queued[v]) (2) in vcpu: the one behind `choose` looks at the requests of every turn
