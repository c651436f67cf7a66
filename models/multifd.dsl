// multifd's send side, up to the synchronisation at the end of a migration's setup.
//
// The migration thread waits in multifd_send_sync_main() for every channel. (The text of 930e239d11 has multifd_save_setup() wait; in the
// source that only starts the connections.) A channel's thread exists only once its connection does: a
// worker thread connects, and leaves the result as an idle source of the main loop, whose callback creates the channel's thread. That
// callback needs the BQL. The importer says which order the semaphores are in: since 8.1 (d2026ee117) a channel posts channels_ready
// when it starts to wait for work, and the synchronisation waits for it (SYNC_WAITS_CHANNELS_READY); before, only a page does.
//
// What is abstracted, beyond lib/qemu.dsl:
// - No pages are queued yet, so that the channels carry the synchronisation only.
// - Writing to a socket takes no lock and always returns; it is no step. Connecting may fail; with -D CONNECT_CAN_FAIL=false it cannot.
// - What is done under a channel's mutex is one step: it waits for nothing else, and only that mutex's holders look at what it changes.

import "lib/qemu.dsl";

param CHANNELS in 1..* = 2;
param CONNECT_CAN_FAIL in bool = true;

sem channels_ready max 2 * CHANNELS = 0;
sem work[CHANNELS] max 1 = 0;                    // MultiFDSendParams::sem
sem sem_sync[CHANNELS] max 1 = 0;
mutex param_mutex[CHANNELS];                     // MultiFDSendParams::mutex, protects the next one
0..1 pending_job[CHANNELS];
bool quit[CHANNELS];
bool connect_failed[CHANNELS];

// The main loop, BQL held: start the connections, do not wait for them.
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
        if (SYNC_WAITS_CHANNELS_READY) {
            post channels_ready;
        }
        idle: wait work[c];
        atomic {
            with param_mutex[c] {
                assert job_done: holds(param_mutex[c]) "pending_job changes under it";
                pending_job[c] = pending_job[c] - 1;         // the packet is sent
            }
        }
        post sem_sync[c];
        if (!SYNC_WAITS_CHANNELS_READY) {
            post channels_ready;
        }
    }
}

proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" {
    for c in 0..CHANNELS - 1 {
        atomic {
            with param_mutex[c] {
                if (quit[c]) {
                    assert gives_up: connect_failed[c] "it fails only because a channel has";
                    return;                      // -1: the migration fails
                }
                assert no_job_in_vain: !quit[c] "a channel that has quit gets no job";
                assert job_added: holds(param_mutex[c]) "pending_job changes under it";
                pending_job[c] = pending_job[c] + 1;
            }
        }
        post work[c];
    }
    for c in 0..CHANNELS - 1 {
        if (SYNC_WAITS_CHANNELS_READY) {
            ready: wait channels_ready;
        }
        synced: wait sem_sync[c];
    }
    assert synced: forall c in 0..CHANNELS - 1: pending_job[c] == 0 || connect_failed[c] "every channel has sent its packet";
}

// Once the main loop has seen that a connection failed, the synchronisation can see it, too.
invariant failed_channel_has_quit: forall c in 0..CHANNELS - 1: connect_failed[c] && !pending(qio_task_thread_result[c])
    && at(main_loop, os_host_main_loop_wait.idle) implies quit[c];
invariant channel_after_connect: forall c in 0..CHANNELS - 1:
    at(multifd_send_thread[c], multifd_send_thread.idle) implies !connect_failed[c];

// What survives `formal mutate`, and why.
// Survives: drop spawn worker in qio_task_run_in_thread: what nobody spawns runs from the start; a connection may be there sooner
// Survives: drop qio_task_run_in_thread(io_task_worker[c]) in multifd_save_setup: the same
// Survives: take apart atomic { choose; connect_failed[c] = true; …} in io_task_worker: nobody looks before the result is there
// Survives: drop connect_failed[c] = true in io_task_worker: every connection is made: some of the runs
