// A migration's setup before 930e239d11: header and setup without the BQL, ram_init_bitmaps() takes it. Nothing goes wrong here: what the
// patch mends is the snapshot's setup; it holds the BQL in migrations so that the callbacks need no conditional locking.
// A device whose state is saved in the setup is another matter: migration_early_setup_before.dsl.

protocol migration_thread_before "a migration's setup, callbacks lock for themselves (before 930e239d11)";

const EARLY_SETUP = false;

import "patch/none.dsl";
import "migration_thread.dsl";

expect proved;
