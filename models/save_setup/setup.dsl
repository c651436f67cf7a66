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
