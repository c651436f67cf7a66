// 930e239d11 as merged: the BQL is held for header and setup, by snapshots and migrations alike; callbacks take it no more;
// ram_save_setup() drops it around multifd_send_sync_main().

import "bql_pair.dsl";

const SNAPSHOT_HOLDS_BQL = true;
const MIGRATION_HOLDS_BQL = true;
const HEADER_UNDER_BQL = true;
const CALLBACKS_TAKE_BQL = CALLER_HOLDS;
const DROP_BQL_AROUND_SYNC = true;
