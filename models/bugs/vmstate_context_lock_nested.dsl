// savevm before 17e2a4a47d: the context's lock is taken twice when the main loop waits for the internal snapshot.
//
// The wait gives the lock back once. The main loop still has it, and waits for a request that the IOThread cannot complete without it.

protocol vmstate_context_lock_nested "savevm on an IOThread's image, the context's lock taken twice (before 17e2a4a47d)";

const RELEASE_BEFORE_CREATE_SNAPSHOT = false;

import "vmstate_context_lock.dsl";

expect violated deadlock.global;
expect violated liveness.saves;
