// The patch as first posted (5 May 2023): snapshots hold the BQL, migrations do not, and callbacks take it unless it is held, as
// prepare_mmio_access() does.

import "bql_pair.dsl";

const SNAPSHOT_HOLDS_BQL = true;
const MIGRATION_HOLDS_BQL = false;
const HEADER_UNDER_BQL = true;                   // of a snapshot; a migration's header is written without
const CALLBACKS_TAKE_BQL = TAKE_UNLESS_HELD;
const DROP_BQL_AROUND_SYNC = false;
