// A migration's setup since 930e239d11: header and setup each under the BQL. With multifd on: multifd_sync_unlocked.dsl.
//
// Beside: multifd_sync_locked.dsl, multifd_sync_ends.dsl

protocol migration_thread_after "a migration's setup under the BQL (930e239d11)";

const EARLY_SETUP = false;

import "patch/merged.dsl";
import "migration_thread.dsl";

expect proved;
