// A background snapshot's setup before 930e239d11: header and setup without the BQL, ram_init_bitmaps() takes it all
// the same. It is for memory_global_dirty_log_start(), which a background snapshot does not call.

protocol bg_migration_before "a background snapshot's setup, callbacks lock for themselves (before 930e239d11)";

import "patch/none.dsl";
import "bg_migration.dsl";

expect proved;
