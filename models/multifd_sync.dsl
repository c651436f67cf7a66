// A migration's setup with multifd on: what multifd_sync_locked.dsl and multifd_sync_unlocked.dsl share.
//
// The migration thread waits in multifd_send_sync_main() for every channel. A channel's thread exists only once its connection does: a
// worker thread connects, and leaves the result as an idle source of the main loop, whose callback creates the channel's thread. That
// callback needs the BQL. The importer says whether the migration thread gives the BQL up while it waits (DROP_BQL_AROUND_SYNC).
//
// What is abstracted, beyond lib/qemu.dsl:
// - One migration, up to the end of its setup. No pages are queued yet, so that the channels carry the synchronisation only.
// - Writing to a socket takes no lock and always returns; it is no step. Connecting may fail; with -D CONNECT_CAN_FAIL=false it cannot.
// - A vCPU's exit takes the BQL and gives it back. That the guest runs on while the migration hangs is what it is here for.
// - What is done under a channel's mutex is one step: it waits for nothing else, and only that mutex's holders look at what it changes.
// - The order is that of 8.1 (d2026ee117): a channel posts channels_ready when it starts to wait for work.

import "lib/qemu.dsl";

param VCPUS in 1..64 = 2;
param CHANNELS in 1..16 = 2;
param CONNECT_CAN_FAIL in bool = true;

const HOLD_BQL_DURING_SETUP = true;

hook save_setup;
import "callbacks/ram.dsl";

proc qemu_fflush() @ "migration/qemu-file.c:qemu_fflush" { }  // to a socket

sem channels_ready max 2 * CHANNELS = 0;
sem work[CHANNELS] max 1 = 0;                    // MultiFDSendParams::sem
sem sem_sync[CHANNELS] max 1 = 0;
mutex param_mutex[CHANNELS];                     // MultiFDSendParams::mutex, protects the next one
0..1 pending_job[CHANNELS];
bool quit[CHANNELS];
bool connect_failed[CHANNELS];

// The main loop, BQL held: start the connections, do not wait for them.
proc migrate_fd_connect() @ "migration/migration.c:migrate_fd_connect" {
    multifd_save_setup();
    spawn migration_thread;
}

proc multifd_save_setup() @ "migration/multifd.c:multifd_save_setup" {
    for c in 0..CHANNELS - 1 {
        qio_task_run_in_thread(io_task_worker[c]) @ "migration/socket.c:socket_send_channel_create";
    }
}

thread io_task_worker[c: CHANNELS] @ "io/task.c:qio_task_thread_worker" {
    atomic {                                     // nobody looks at the outcome before the result is there
        if (CONNECT_CAN_FAIL) {
            choose { } or { connect_failed[c] = true; }
        }
        qio_task_thread_complete(qio_task_thread_result[c]);
    }
}

bh qio_task_thread_result[c: CHANNELS] on default_main_context @ "io/task.c:qio_task_thread_result" {
    multifd_new_send_channel_async(connect_failed[c], multifd_send_thread[c], sem_sync[c], quit[c]);
}

proc multifd_new_send_channel_async(ref bool failed, ref thread channel, ref sem sync, ref bool gone)
    requires holds(BQL) @ "migration/multifd.c:multifd_new_send_channel_async" {
    if (failed) {
        post channels_ready;
        post sync;
        gone = true;                             // after the two, as in the source
    } else {
        spawn channel;
    }
}

thread multifd_send_thread[c: CHANNELS] @ "migration/multifd.c:multifd_send_thread" {
    loop {
        post channels_ready;
        idle: wait work[c];
        atomic {
            with param_mutex[c] {
                pending_job[c] = pending_job[c] - 1;         // the packet is sent
            }
        }
        post sem_sync[c];
    }
}

proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" {
    for c in 0..CHANNELS - 1 {
        atomic {
            with param_mutex[c] {
                if (quit[c]) {
                    return;                      // -1: the migration fails
                }
                pending_job[c] = pending_job[c] + 1;
            }
        }
        post work[c];
    }
    for c in 0..CHANNELS - 1 {
        ready: wait channels_ready;
        wait sem_sync[c];
    }
    assert synced: forall c in 0..CHANNELS - 1: pending_job[c] == 0 || connect_failed[c] "every channel has sent its packet";
}

thread migration_thread @ "migration/migration.c:migration_thread" {
    qemu_mutex_lock_iothread();
    qemu_mutex_unlock_iothread();                // the header is written in between
    qemu_mutex_lock_iothread();
    qemu_savevm_state_setup();
    qemu_mutex_unlock_iothread();
}

proc qemu_savevm_state_setup() @ "migration/savevm.c:qemu_savevm_state_setup" {
    invoke save_setup;
}

thread main_loop @ "softmmu/runstate.c:qemu_main_loop" {
    qemu_mutex_lock_iothread();
    migrate_fd_connect();
    loop {
        os_host_main_loop_wait();
        poll default_main_context;
    }
}

thread vcpu[VCPUS] @ "accel/kvm/kvm-accel-ops.c:kvm_vcpu_thread_fn" {
    loop {
        skip;                                    // guest code, without the BQL
        qemu_mutex_lock_iothread();              // an MMIO exit
        qemu_mutex_unlock_iothread();
    }
}

deadlock free;

invariant owner_has_flag: forall t in thread: holds(t, BQL) == t.iothread_locked;
invariant channel_after_connect: forall c in 0..CHANNELS - 1:
    at(multifd_send_thread[c], multifd_send_thread.idle) implies !connect_failed[c];
