// savevm on an image that an IOThread serves: what vmstate_context_lock_nested.dsl and vmstate_context_lock_once.dsl share.
//
// The image's AioContext is the IOThread's, and has a recursive lock. The main loop holds it while it submits a request, then waits for the
// request in main_context (AIO_WAIT_WHILE for a context that is at home elsewhere), and gives the lock back meanwhile, once. The IOThread
// needs the lock to complete the request. bdrv_all_create_snapshot() takes the lock of each image by itself.
//
// The importer says whether its caller still holds the lock at that point (RELEASE_BEFORE_CREATE_SNAPSHOT).
//
// What is abstracted, beyond lib/qemu.dsl:
// - One image, and one command, which the main loop runs at once. The guest is stopped by then: there are no vCPUs.
// - The state of the guest is one write, the internal snapshot another. The BQL during the setup is for savevm.dsl.

import "lib/qemu.dsl";

recursive mutex context_lock max 2;              // AioContext::lock; this goes no deeper
context iothread_context home iothread;

bool vmstate_in_progress = false;
bool snapshot_in_progress = false;
bool saved = false;

bh bdrv_co_writev_vmstate_entry on iothread_context { co_schedule_bh_cb(vmstate_in_progress); }
bh bdrv_snapshot_create_entry on iothread_context { co_schedule_bh_cb(snapshot_in_progress); }

// Runs a coroutine of the context, up to its end here, under the context's lock.
proc co_schedule_bh_cb(ref bool in_progress) @ "util/async.c:co_schedule_bh_cb" {
    with context_lock {
        complete_request(in_progress);
    }
}

proc complete_request(ref bool in_progress) requires holds(context_lock) {
    bdrv_poll_co_done(in_progress);
}

// The image is looked at and changed under its context's lock only.
proc bdrv_request(ref bool in_progress, ref bh co) requires holds(context_lock) @ "include/block/block.h:BDRV_POLL_WHILE" {
    in_progress = true;
    schedule co;
    aio_wait_while_elsewhere(in_progress, context_lock);
    assert still_locked: holds(context_lock) && !in_progress "who waits for a request has it done, and the context's lock again";
}

proc save_vmstate() requires holds(BQL) @ "migration/savevm.c:save_vmstate" {
    lock context_lock;                           // aio_context_acquire()
    bdrv_request(vmstate_in_progress, bdrv_co_writev_vmstate_entry) @ "migration/savevm.c:qemu_savevm_state";
    if (RELEASE_BEFORE_CREATE_SNAPSHOT) {
        unlock context_lock;
    }
    bdrv_all_create_snapshot();
    if (!RELEASE_BEFORE_CREATE_SNAPSHOT) {
        unlock context_lock;
    }
    saved = true;
}

proc bdrv_all_create_snapshot() @ "block/snapshot.c:bdrv_all_create_snapshot" {
    with context_lock {
        bdrv_request(snapshot_in_progress, bdrv_snapshot_create_entry) @ "block/snapshot.c:bdrv_snapshot_create";
    }
}

thread iothread @ "iothread.c:iothread_run" {
    loop {
        idle: poll iothread_context blocking;
    }
}

thread main_loop @ "vl.c:main_loop" {
    qemu_mutex_lock_iothread();
    save_vmstate();                              // the command
    loop {
        os_host_main_loop_wait();
        poll main_context;
    }
}

deadlock free;

liveness saves: eventually saved;

// Who waits for a request is counted meanwhile, and not any more afterwards: aio_wait_kick() looks at the count.
invariant waiter_counted: at(main_loop, aio_wait_while_elsewhere.elsewhere) implies num_waiters > 0;
invariant all_counted_out: saved implies num_waiters == 0;
// Nobody sleeps with the BQL's flag set here: it is set exactly for the owner.
invariant flag_with_bql: forall t in thread: holds(t, BQL) == t.iothread_locked;
// The main loop sleeps without the BQL.
invariant idle_without_bql: at(main_loop, os_host_main_loop_wait.idle) implies !holds(main_loop, BQL);
