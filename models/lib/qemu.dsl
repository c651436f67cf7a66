// QEMU's big lock, its main AioContext, and what runs in it: what every model of a QEMU protocol starts from.
//
// Here are locks, contexts, procedures and the one bottom half behind aio_wait_kick(), but no threads: a thread, even an idle one,
// multiplies the states of everybody who imports this file. The importer declares `thread main_loop` (the home of main_context; its
// body calls os_host_main_loop_wait() and polls the contexts that its protocol uses) and whatever vCPUs and workers it needs.
//
// What is abstracted:
// - Block I/O takes no time of its own. A request's completion is pending as soon as it is submitted, and is dispatched whenever some
//   thread polls. Thread pool workers take no lock, so nothing that can be proved here depends on them being late.
// - The main loop dispatches one bottom half of each context a turn, and may drop the BQL between two turns. glib dispatches all that are
//   ready before it drops the BQL: the runs in which nobody takes the BQL in between are those (for logs, traces/qemu_7_2.toml: `fused`).
// - The main loop takes the BQL only when it has something to do. A wake-up for nothing would take it, change nothing and give it back.

// The BQL is two things: qemu_global_mutex, and a flag of each thread that says whether that thread took it. The two differ while a
// thread sleeps on a condition variable: qemu_cond_wait() (`wait c with BQL`) gives the mutex back and leaves the flag set.
mutex BQL;
thread_local bool iothread_locked = false;

// The flag belongs to this thread alone, so that nobody sees the mutex taken and the flag not yet set: hence the atomic blocks. A thread
// that executes anything has the flag set exactly if it owns the mutex. The flag's assertions (never locked twice, unlocked by its owner
// only) are the built-in checks `relock` and `not_owner`.
proc qemu_mutex_lock_iothread() @ "softmmu/cpus.c:qemu_mutex_lock_iothread_impl" {
    atomic {
        lock BQL;
        iothread_locked = true;
    }
}

proc qemu_mutex_unlock_iothread() @ "softmmu/cpus.c:qemu_mutex_unlock_iothread" {
    atomic {
        unlock BQL;
        iothread_locked = false;
    }
}

// qemu_get_current_aio_context(): the main loop's own context, else the main one for whoever has the flag set, else none.
context main_context home main_loop when iothread_locked @ "util/async.c:qemu_get_current_aio_context";
// Dispatched by the main loop only; no nested loop on main_context ever runs these.
context iohandler_context @ "util/main-loop.c:iohandler_get_aio_context";
context default_main_context;                    // glib's: the idle sources of QIO tasks

bool vmstop_requested = false;                   // qemu_system_vmstop_request(); wakes the main loop

proc os_host_main_loop_wait() @ "util/main-loop.c:os_host_main_loop_wait" {
    qemu_mutex_unlock_iothread();
    idle: await pending(main_context) || pending(iohandler_context) || pending(default_main_context) || vmstop_requested;
    qemu_mutex_lock_iothread();
}

// aio_poll(ctx, true) is the statement `poll ctx blocking`, AIO_WAIT_WHILE in ctx's home `aio_wait_while ctx (condition)`; neither drops
// the BQL. Whoever waits counts itself, whoever finishes a request kicks all that wait: they look at their condition again.
0..7 num_waiters = 0;
bh aio_wait_bh on main_context @ "util/aio-wait.c:dummy_bh_cb" { }

proc aio_wait_kick() @ "util/aio-wait.c:aio_wait_kick" {
    if (num_waiters > 0) {
        schedule aio_wait_bh;
    }
}

// AIO_WAIT_WHILE for a context that is another thread's home: polls main_context, and gives that context's lock back meanwhile. Once: who
// took it twice still has it.
proc aio_wait_while_elsewhere(ref bool busy, ref mutex context_lock) @ "include/block/aio-wait.h:AIO_WAIT_WHILE_INTERNAL" {
    num_waiters = num_waiters + 1;
    assert waits_in_main_context: in_context(main_context) "g_assert(qemu_get_current_aio_context() == qemu_get_aio_context())";
    while (busy) {
        unlock context_lock;
        elsewhere: poll main_context blocking;
        lock context_lock;
    }
    num_waiters = num_waiters - 1;
}

// A generated coroutine wrapper, outside of coroutines: bdrv_writev_vmstate(), blk_pwrite() and the like. aio_co_enter() runs the
// coroutine at once up to its request if this thread is in main_context, else only schedules it there: either way what is left to run
// is one bottom half of main_context, `co`. `in_progress` is on the wrapper's stack: nobody else looks at it before `co` is scheduled.
proc bdrv_poll_co(ref bool in_progress, ref bh co) @ "block/block-gen.h:bdrv_poll_co" {
    atomic {
        in_progress = true;
        schedule co;
        num_waiters = num_waiters + 1;
    }
    waiting: aio_wait_while main_context (in_progress);
    num_waiters = num_waiters - 1;
}

// The end of the coroutine, the body of `co`. Atomic: the kick comes after in_progress is cleared, and is harmless if it comes early.
proc bdrv_poll_co_done(ref bool in_progress) @ "scripts/block-coroutine-wrapper.py:gen_wrapper" {
    atomic {
        in_progress = false;
        aio_wait_kick();
    }
}

// A QIO task: `worker` does the blocking part in a thread of its own and ends with qio_task_thread_complete(); `done` then waits for
// the main loop, which calls the task's callback with the BQL held.
proc qio_task_run_in_thread(ref thread worker) @ "io/task.c:qio_task_run_in_thread" {
    spawn worker;
}

proc qio_task_thread_complete(ref bh done) @ "io/task.c:qio_task_thread_worker" {
    schedule done;
}

// What survives `formal mutate`, and why. The kick is for who polls without the BQL: with it, nobody else ends the request meanwhile.
// Survives: drop await pending(main_context)* in os_host_main_loop_wait: a wake-up for nothing changes nothing
// Survives: without `vmstop_requested`: await* in os_host_main_loop_wait: the request is answered with the next reason to wake up
// Survives: duplicate await pending(main_context)* in os_host_main_loop_wait: it looks twice
// Survives: without `pending(main_context)`: await* in os_host_main_loop_wait: who waits for a request polls for itself
// Survives: negate: if (num_waiters > 0) in aio_wait_kick: the kick
// Survives: always: if (num_waiters > 0) in aio_wait_kick: a kick for nothing
// Survives: never: if (num_waiters > 0) in aio_wait_kick: the kick
// Survives: drop schedule aio_wait_bh in aio_wait_kick: the kick
// Survives: drop aio_wait_kick() in *: the kick
// Survives: swap aio_wait_while main_context (in_progress); num_waiters = num_waiters - 1 in bdrv_poll_co: the kick
// Survives: take apart atomic { in_progress = true; schedule co; …} in bdrv_poll_co: who is in between has the BQL, and nobody else looks
// Survives: take apart atomic { in_progress = false; aio_wait_kick(); } in bdrv_poll_co_done: the same
