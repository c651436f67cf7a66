// Multifd's count of channels that are ready: what channels_ready_drifts.dsl and channels_ready_counts.dsl share.
//
// multifd_send_pages() waits for channels_ready, then looks for a channel without a pending job, round and round until it finds one. So
// channels_ready must not promise more channels than there are: else the migration thread spins. A job is a packet, of pages or of a
// synchronisation alone, and a channel posts channels_ready for each. Whoever hands out a job must take one from the count.
//
// The importer says whether a synchronisation takes its jobs from the count (SYNC_WAITS_FOR_CHANNELS). A channel then posts when it starts
// to wait for work, and so is ready from the start; else it posts at the end of a job, and only the first synchronisation makes it ready.
//
// What is abstracted:
// - A migration begins with a synchronisation (ram_save_setup) and goes on for ever: pages or a synchronisation, in any order.
// - Channels are connected, and do not fail: that is for multifd_sync.dsl. There is no BQL here: none of these threads takes it.
// - Writing to a socket always returns; it is one step. What is in a packet is left out.
// - The count may come to two for each channel, while a synchronisation waits. More is `range`: in QEMU it may grow for ever.

param CHANNELS in 1..16 = 2;

sem channels_ready max 2 * CHANNELS = 0;
sem work[CHANNELS] max 2 = 0;                    // MultiFDSendParams::sem
sem sem_sync[CHANNELS] max 1 = 0;
mutex param_mutex[CHANNELS];                     // MultiFDSendParams::mutex, protects the next two
0..2 pending_job[CHANNELS];
bool flag_sync[CHANNELS];                        // MULTIFD_FLAG_SYNC in MultiFDSendParams::flags
0..CHANNELS - 1 next_channel = 0;                // the migration thread's own

thread migration_thread @ "migration/migration.c:migration_thread" {
    multifd_send_sync_main();
    loop {
        choose { multifd_send_pages(); } or { multifd_send_sync_main(); }
    }
}

// Two accesses: threads that do this at the same time lose one of the changes.
proc add_pending_job(ref 0..2 jobs, -1..1 change) {
    0..2 before = jobs;
    jobs = before + change;
}

proc multifd_send_pages() @ "migration/multifd.c:multifd_send_pages" {
    ready: wait channels_ready;
    assert finds_a_channel: exists c in 0..CHANNELS - 1: pending_job[c] == 0 "a channel is free, so that the look for it ends";
    loop {
        lock param_mutex[next_channel];
        if (pending_job[next_channel] == 0) {
            add_pending_job(pending_job[next_channel], 1);
            unlock param_mutex[next_channel];
            post work[next_channel];
            next_channel = (next_channel + 1) % CHANNELS;
            return;
        }
        unlock param_mutex[next_channel];
        next_channel = (next_channel + 1) % CHANNELS;
    }
}

proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" {
    for c in 0..CHANNELS - 1 {
        with param_mutex[c] {
            flag_sync[c] = true;
            add_pending_job(pending_job[c], 1);
        }
        post work[c];
    }
    for c in 0..CHANNELS - 1 {
        if (SYNC_WAITS_FOR_CHANNELS) {
            wait channels_ready;
        }
        wait sem_sync[c];
    }
}

thread multifd_send_thread[c: CHANNELS] @ "migration/multifd.c:multifd_send_thread" {
    loop {
        if (SYNC_WAITS_FOR_CHANNELS) {
            post channels_ready;
        }
        idle: wait work[c];
        lock param_mutex[c];
        assert woken_for_a_job: pending_job[c] > 0 "one wake-up a job";
        bool sync = flag_sync[c];
        flag_sync[c] = false;
        unlock param_mutex[c];
        sending: skip;
        with param_mutex[c] {
            add_pending_job(pending_job[c], -1);
        }
        if (sync) {
            post sem_sync[c];
        }
        if (!SYNC_WAITS_FOR_CHANNELS) {
            post channels_ready;
        }
    }
}

deadlock free;

// Outside of a synchronisation the count never promises more than there is, and once all is sent it is right.
invariant promises_kept: at(migration_thread, multifd_send_pages.ready)
    implies count(channels_ready) <= (number of c in 0..CHANNELS - 1: pending_job[c] == 0);
invariant counts_idle_channels: at(migration_thread, multifd_send_pages.ready)
    && (forall c in 0..CHANNELS - 1: at(multifd_send_thread[c], multifd_send_thread.idle) && pending_job[c] == 0)
    implies count(channels_ready) == CHANNELS;
