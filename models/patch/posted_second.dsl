// The patch as posted next (25 May 2023): the BQL is held for header and setup everywhere, across multifd_send_sync_main() as well.

import "bql_pair.dsl";

const SNAPSHOT_HOLDS_BQL = true;
const MIGRATION_HOLDS_BQL = true;
const HEADER_UNDER_BQL = true;
const CALLBACKS_TAKE_BQL = CALLER_HOLDS;
const DROP_BQL_AROUND_SYNC = false;
