// Before 930e239d11: setup callbacks are called without the BQL, and take it for themselves where they need it (9b09503752).

import "bql_pair.dsl";

const SNAPSHOT_HOLDS_BQL = false;                // qemu_savevm_state() drops the BQL for header and setup
const MIGRATION_HOLDS_BQL = false;               // migration_thread() and bg_migration_thread() do not take it
const HEADER_UNDER_BQL = false;
const CALLBACKS_TAKE_BQL = TAKE_ALWAYS;          // ram_init_bitmaps(), dirty_bitmap_save_setup(), block_save_setup()
const DROP_BQL_AROUND_SYNC = false;              // ram_save_setup(): around multifd_send_sync_main()
