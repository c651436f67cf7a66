// QMP handlers in iohandler_context, since effd60c878: nested loops do not poll that, so that device_add runs in the main loop only.
//
// drain_call_rcu() still gives the BQL away there. It has to: a vCPU that waits for the BQL may be in a read section.
//
// Beside: monitor_in_main_context.dsl

protocol monitor_in_iohandler "device_add, its handler in the iohandler context (effd60c878)";

import "monitor_dispatch.dsl";

bh do_qmp_dispatch_bh on iohandler_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" { qmp_device_add(); }

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: without `pending(iohandler_context)`: await* in *: the vCPUs' writes wake the main loop, too, again and again
// Survives: duplicate aio_wait_while main_context (in_progress) in bdrv_poll_co: it has ended: the second wait is over at once
// Survives: duplicate schedule do_qmp_dispatch_bh in mon_iothread: it is pending already, or the command is given twice
// Survives: duplicate qmp_device_add() in do_qmp_dispatch_bh: the command twice
// Survives: duplicate drain_call_rcu() in qmp_device_add: it drains twice
// Survives: swap assert drained*; replied = true in qmp_device_add: nothing is freed or queued in between
// Survives: duplicate replied = true in qmp_device_add: the same value again
// Survives: swap qemu_mutex_unlock_iothread(); callback_queued = true in drain_call_rcu: queueing takes no lock
// Survives: duplicate callback_queued = true in drain_call_rcu: a second grace period, for nobody
// Survives: duplicate wait drain_complete_event in drain_call_rcu: the event stays set
// Survives: duplicate set drain_complete_event in drain_rcu_callback: the same
// Survives: * await callback_queued in call_rcu_thread: a grace period for nobody does no harm, and to look twice is to look
// Survives: drop callback_queued = false in call_rcu_thread: one grace period behind the other, for nobody
// Survives: duplicate callback_queued = false in call_rcu_thread: the same value again
// Survives: swap callback_queued = false; synchronize_rcu() in call_rcu_thread: nobody queues a second one
// Survives: duplicate synchronize_rcu() in call_rcu_thread: two grace periods
// Survives: duplicate await !rcu_reader[v] in synchronize_rcu: it looks twice
// Survives: duplicate drain_rcu_callback() in call_rcu_thread: the event stays set
// Survives: duplicate bdrv_poll_co_done(write_in_progress) in blk_co_pwrite_entry: the request ends twice, and nobody looks in between
// Survives: duplicate reader = * in address_space_write: the same value again
// Survives: swap reader = true; qemu_mutex_lock_iothread() in address_space_write: a reader that waits for the BQL is none yet
// Survives: swap qemu_mutex_unlock_iothread(); reader = false in address_space_write: which of the two is given back first
// Survives: duplicate pflash_update(inside) in address_space_write: two writes of one access
// Survives: duplicate inside = true in pflash_update: the same value again
// Survives: duplicate bdrv_poll_co(write_in_progress, blk_co_pwrite_entry) in pflash_update: two requests for one write
// Survives: take apart atomic { inside = false; } in pflash_update: under the BQL
// Survives: drop os_host_main_loop_wait() in main_loop: the BQL is then free while the command drains alone: some of the runs
// Survives: duplicate os_host_main_loop_wait() in main_loop: a turn with nothing in it
// Survives: swap os_host_main_loop_wait(); poll main_context in main_loop: begins with the second half of a turn
// Survives: drop poll main_context in main_loop: who waits for a request polls for itself
// Survives: swap poll main_context; poll iohandler_context in main_loop: the order of sources
// Survives: duplicate poll iohandler_context in main_loop: two of a turn, as glib
// Survives: swap skip; address_space_write(*) in vcpu: guest code behind the access instead of before it
// Survives: duplicate address_space_write(*) in vcpu: two accesses in a row
