// A wrong turn: callers hold the BQL, callbacks still take it for themselves.

import "bql_pair.dsl";

const SNAPSHOT_HOLDS_BQL = true;
const MIGRATION_HOLDS_BQL = true;
const HEADER_UNDER_BQL = true;
const CALLBACKS_TAKE_BQL = TAKE_ALWAYS;
const DROP_BQL_AROUND_SYNC = true;
