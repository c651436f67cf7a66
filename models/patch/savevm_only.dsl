// Not posted, but tried on the list (2 May 2023): only the pair in savevm.c is deleted. The callbacks take the BQL that their caller holds.

import "bql_pair.dsl";

const SNAPSHOT_HOLDS_BQL = true;
const MIGRATION_HOLDS_BQL = false;
const HEADER_UNDER_BQL = true;
const CALLBACKS_TAKE_BQL = TAKE_ALWAYS;
const DROP_BQL_AROUND_SYNC = false;
