// As multifd_sync_unlocked.dsl, in the order of 7.2.
//
// Beside: multifd_sync_locked.dsl, multifd_sync_locked_7_2.dsl, multifd_sync_ends.dsl

protocol multifd_sync_unlocked_7_2 "multifd setup in the order of 7.2, the BQL dropped around multifd_send_sync_main()";

const SYNC_WAITS_CHANNELS_READY = false;

import "patch/merged.dsl";
import "multifd_sync.dsl";

// A channel posts channels_ready behind each job: those that then wait for work are in the count that multifd_send_pages() takes them from.
invariant counts_idle_channels: at(migration_thread, set_up)
    && (forall c in 0..CHANNELS - 1: at(multifd_send_thread[c], multifd_send_thread.idle)) implies count(channels_ready) == CHANNELS;
// None posts it twice: neither for the one job that a setup has, nor where its connection failed.
invariant counts_each_once: count(channels_ready) <= CHANNELS;

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: swap post sem_sync[c]; post channels_ready in multifd_send_thread: only pages wait for the count in 7.2, and there are none
