// Multifd setup as merged (930e239d11): ram_save_setup() drops the BQL around multifd_send_sync_main().
//
// The main loop gets the BQL while the migration thread waits, and every channel comes to post channels_ready and its sem_sync.
//
// Beside: multifd_sync_locked.dsl, multifd_sync_ends.dsl

protocol multifd_sync_unlocked "multifd setup, the BQL dropped around multifd_send_sync_main() (930e239d11)";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/merged.dsl";
import "multifd_sync.dsl";

expect proved;
