// A background snapshot's setup since 930e239d11: header and setup under the BQL, but for the moment around multifd_send_sync_main(), which
// has nothing to do here.
//
// Beside: bg_migration_ends.dsl, multifd_sync_locked.dsl, save_setup/ram.dsl

protocol bg_migration_after "a background snapshot's setup under the BQL (930e239d11)";

import "patch/merged.dsl";
import "bg_migration.dsl";

expect proved;
