// savevm since 17e2a4a47d: the context's lock is given back before bdrv_all_create_snapshot() takes it for itself.

protocol vmstate_context_lock_once "savevm on an IOThread's image, the context's lock taken once (17e2a4a47d)";

const RELEASE_BEFORE_CREATE_SNAPSHOT = true;

import "vmstate_context_lock.dsl";

expect proved;
