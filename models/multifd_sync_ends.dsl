// Multifd setup as merged (930e239d11): the wait ends, and so does the setup, whether every channel connects or one fails.
//
// Beside: multifd_sync_locked.dsl, multifd_sync_hangs.dsl

protocol multifd_sync_ends "multifd setup, the BQL dropped around multifd_send_sync_main() (930e239d11): it ends";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/merged.dsl";
import "multifd_sync.dsl";

strong fair main_loop;                           // the BQL is not fair
strong fair migration_thread;

liveness wait_ends: at(migration_thread, multifd_send_sync_main.ready) leads to at(migration_thread, set_up);
liveness setup_ends: eventually finished(migration_thread);
// Every channel that waits for work is in the count from which multifd_send_pages() takes one: channels_ready says how many (d2026ee117).
invariant counts_idle_channels: at(migration_thread, set_up)
    && (forall c in 0..CHANNELS - 1: at(multifd_send_thread[c], multifd_send_thread.idle)) implies count(channels_ready) == CHANNELS;

expect proved;
