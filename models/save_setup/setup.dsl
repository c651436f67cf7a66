// save_setup callbacks, called by a migration thread that holds the BQL: what the models beside this file share.
//
// Beside it run the main loop, vCPUs that submit disk requests and, under TCG, work for others, and the RCU thread, which waits for readers
// and takes the BQL. The importer says which callbacks there are, in which order (ANY_ORDER), and whether the vCPUs are TCG's (TCG).
//
// Not needed: synchronize_rcu() in call_rcu: what it protects is not modelled; it is here because it waits, for readers that need the BQL

const BACKGROUND_SNAPSHOT = false;
const EARLY_SETUP = false;

import "../migration.dsl";
import "../lib/disk.dsl";

proc mmio_exit() {
    virtio_blk_handle_output();
}

thread call_rcu @ "util/rcu.c:call_rcu_thread" {
    loop {
        synchronize_rcu();
        qemu_mutex_lock_iothread();              // the callbacks run under the BQL
        qemu_mutex_unlock_iothread();
    }
}

// The guest runs on during a setup: nobody has asked a vCPU to stop.
invariant guest_runs: forall v in vcpu: !stopped[v] && !at(v, qemu_wait_io_event.idle);
// Who waits for the disk is counted meanwhile, and nobody is any more afterwards: aio_wait_kick() looks at the count.
invariant waiter_counted: at(migration_thread, bdrv_drained_begin.draining) implies num_waiters > 0;
invariant all_counted_out: at(migration_thread, set_up) implies num_waiters == 0;

// What survives `formal mutate`, and why.
// Survives: drop mmio_exit() in vcpu: the guest leaves the disk alone: some of the runs, in which less is to be waited for
// Survives: drop virtio_blk_handle_output() in mmio_exit: the same
// Survives: drop poll main_context in main_loop: the guest's requests are completed by whoever waits for them
// Survives: drop synchronize_rcu() in call_rcu: a thread less that waits for readers: some of the runs
