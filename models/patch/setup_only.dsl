// A wrong turn: the BQL is held for the setup, not for the header, which "could (in theory)" be flushed too.

import "bql_pair.dsl";

const SNAPSHOT_HOLDS_BQL = true;
const MIGRATION_HOLDS_BQL = true;
const HEADER_UNDER_BQL = false;
const CALLBACKS_TAKE_BQL = CALLER_HOLDS;
const DROP_BQL_AROUND_SYNC = true;
