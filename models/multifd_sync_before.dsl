// Multifd setup before 930e239d11: nobody holds the BQL in the setup but ram_init_bitmaps(), for itself. There is nothing to drop.
//
// Beside: save_setup/ram_own_pair.dsl, multifd_sync_locked.dsl, multifd_sync_ends.dsl

protocol multifd_sync_before "multifd setup, callbacks lock for themselves (before 930e239d11)";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/none.dsl";
import "multifd_sync.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop requires.ram_save_setup in ram_save_setup: before the patch it asks for nothing
