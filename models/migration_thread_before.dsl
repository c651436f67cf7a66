// A migration's setup before 930e239d11: header and setup without the BQL, ram_init_bitmaps() takes it. Nothing goes wrong here: what the
// patch mends is the snapshot's setup; it holds the BQL in migrations so that the callbacks need no conditional locking.
// A device whose state is saved in the setup is another matter: migration_early_setup_before.dsl.
//
// Beside: multifd_sync_locked.dsl, multifd_sync_ends.dsl, save_setup/ram_own_pair.dsl

protocol migration_thread_before "a migration's setup, callbacks lock for themselves (before 930e239d11)";

const EARLY_SETUP = false;

import "patch/none.dsl";
import "migration_thread.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop requires.ram_save_setup in ram_save_setup: before the patch it asks for nothing
