// savevm since 17e2a4a47d: the context's lock is given back before bdrv_all_create_snapshot() takes it for itself.
//
// Beside: vmstate_context_lock_nested.dsl

protocol vmstate_context_lock_once "savevm on an IOThread's image, the context's lock taken once (17e2a4a47d)";

const RELEASE_BEFORE_CREATE_SNAPSHOT = true;

import "vmstate_context_lock.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: negate: await* in os_host_main_loop_wait: the command is over by then; nothing is left to wake up for
// Survives: drop assert.waits_in_main_context in *: only the main loop waits here, which is always in main_context
// Survives: swap num_waiters = num_waiters + 1; assert waits_in_main_context* in *: the assertion does not speak of the count
// Survives: duplicate co_schedule_bh_cb(*) in bdrv_*_entry: the request ends twice, and nobody looks in between
// Survives: duplicate complete_request(in_progress) in co_schedule_bh_cb: the same
// Survives: duplicate bdrv_poll_co_done(in_progress) in complete_request: the same
// Survives: duplicate in_progress = true in bdrv_request: the same value again, before the request is there
// Survives: swap in_progress = true; schedule co in bdrv_request: the IOThread needs the context's lock to end the request
// Survives: duplicate schedule co in bdrv_request: the request is submitted once more, and waited for as the first
// Survives: duplicate aio_wait_while_elsewhere(in_progress, context_lock) in bdrv_request: it has ended: the second wait is over at once
// Survives: drop bdrv_request(vmstate_in_progress, *) in save_vmstate: one write less; the other one meets the lock in the same way
// Survives: duplicate bdrv_request(*) in *: the same write once more
// Survives: duplicate bdrv_all_create_snapshot() in save_vmstate: the same
// Survives: duplicate saved = true in save_vmstate: the same value again
// Survives: drop os_host_main_loop_wait() in main_loop: what the main loop does behind the command, nobody waits for
// Survives: swap os_host_main_loop_wait(); poll main_context in main_loop: the same
