// Multifd setup as merged (930e239d11): the wait ends, and so does the setup, whether every channel connects or one fails.
//
// Beside: multifd_sync_locked.dsl, multifd_sync_hangs.dsl, multifd_sync_unlocked.dsl, save_setup/ram.dsl, save_setup/ram_own_pair.dsl

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

// What `formal mutate` may change unnoticed, and why that is no gap (looked at with one channel and one vCPU). multifd_sync_unlocked.dsl,
// which is this without what is asked of the end, shows that nothing else changes; here, that the setup ends all the same.
// Survives: * memory_global_dirty_log_start()* in ram_init_bitmaps: it takes no lock and waits for nothing
// Survives: drop migration_bitmap_sync() in ram_init_bitmaps: nobody else has what it takes
// Survives: * ramblock_sync_dirty_bitmap() in migration_bitmap_sync: nothing of it is here but what it requires
// Survives: * memory_region_transaction_commit() in memory_global_dirty_log_start: the same
// Survives: swap multifd_save_setup(); spawn migration_thread in migrate_fd_connect: the new thread waits for the BQL first
// Survives: drop poll main_context in main_loop: nothing is scheduled there before the setup is over
// Survives: *main_loop_should_exit() in main_loop: nobody requests anything
// Survives: duplicate post channels_ready in multifd_new_send_channel_async: one too many once a channel, and so the migration, has failed
// Survives: swap post channels_ready; post sync in multifd_new_send_channel_async: who waits for the one waits for the other
// Survives: swap post sync; gone = true in multifd_new_send_channel_async: who waits does not look at it any more
// Survives: duplicate gone = true in multifd_new_send_channel_async: it stays so
// Survives: take apart atomic { with param_mutex[c]; …} in multifd_send_thread: param_mutex protects it
// Survives: swap wait channels_ready; wait sem_sync[c] in multifd_send_sync_main: who waits for the one waits for the other
