// Multifd setup with the patch as first posted: as before for migrations, since their callbacks find the BQL not held and take it.
//
// Beside: save_setup/ram_own_pair.dsl, multifd_sync_locked.dsl, multifd_sync_ends.dsl

protocol multifd_sync_posted_first "multifd setup, callbacks take the BQL unless it is held (posted first)";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/posted_first.dsl";
import "multifd_sync.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop requires.ram_save_setup in ram_save_setup: as posted it asks for nothing: the callback takes the BQL unless it is held
