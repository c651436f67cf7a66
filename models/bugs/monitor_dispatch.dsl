// device_add, and the thread that its handler runs in: what monitor_in_main_context.dsl and monitor_in_iohandler.dsl share.
//
// The QMP dispatcher leaves the handler of a command to a bottom half, do_qmp_dispatch_bh. device_add ends with drain_call_rcu(), which
// gives the BQL away, waits until the RCU thread has run every callback queued so far, and takes the BQL back. That is harmless in the
// main loop. It is not inside of a device: the BQL is what keeps a second vCPU out of it. And it hangs inside of an RCU read section:
// the RCU thread waits for the end of that section before it runs a callback.
//
// The importer declares do_qmp_dispatch_bh, on the context that it runs in.
//
// What is abstracted, beyond lib/qemu.dsl:
// - One command. How the dispatcher's coroutine comes to schedule the bottom half is left out: it takes no lock.
// - The device is a pflash, whose write waits for its image in a nested loop. Any device that polls main_context would do.
// - A vCPU is in an RCU read section for the whole of an access: address_space_write() takes it before the BQL.
// - synchronize_rcu() waits for one vCPU after the other to be out of its section at some time: that is all a grace period promises. The
//   main loop's own sections are left out; it is in none when it runs a handler.
// - Every callback that was queued before is gone with the one of drain_call_rcu(): the RCU thread runs them in the order queued.

import "lib/qemu.dsl";

param VCPUS in 1..64 = 2;

bool in_device[VCPUS];                           // between the entry into the device and the end of the access
bool write_in_progress = false;                  // its request: at most one, as long as one vCPU at a time is in the device
bool rcu_reader[VCPUS];                          // rcu_reader_data::ctr != 0
bool callback_queued = false;                    // call_rcu1() of drain_rcu_callback
event drain_complete_event = false;
bool replied = false;

thread mon_iothread {
    schedule do_qmp_dispatch_bh @ "monitor/qmp.c:handle_qmp_command";        // the user plugs a device in
}

proc qmp_device_add() requires holds(BQL) @ "softmmu/qdev-monitor.c:qmp_device_add" {
    drain_call_rcu();
    assert drained: is_set(drain_complete_event) "what a failed device_add left to be freed is gone before the answer";
    replied = true;
}

proc drain_call_rcu() @ "util/rcu.c:drain_call_rcu" {
    qemu_mutex_unlock_iothread();
    callback_queued = true @ "util/rcu.c:call_rcu1";
    wait drain_complete_event;
    qemu_mutex_lock_iothread();
}

proc drain_rcu_callback() requires holds(BQL) @ "util/rcu.c:drain_rcu_callback" {
    set drain_complete_event;
}

thread call_rcu_thread @ "util/rcu.c:call_rcu_thread" {
    loop {
        idle: await callback_queued;
        callback_queued = false;
        synchronize_rcu();
        qemu_mutex_lock_iothread();
        drain_rcu_callback();
        qemu_mutex_unlock_iothread();
    }
}

proc synchronize_rcu() @ "util/rcu.c:synchronize_rcu" {
    for v in 0..VCPUS - 1 {
        await !rcu_reader[v];
    }
}

bh blk_co_pwrite_entry on main_context { bdrv_poll_co_done(write_in_progress); }

proc address_space_write(ref bool reader, ref bool inside) @ "softmmu/physmem.c:address_space_write" {
    reader = true;                               // RCU_READ_LOCK_GUARD()
    qemu_mutex_lock_iothread() @ "softmmu/physmem.c:prepare_mmio_access";
    pflash_update(inside);
    qemu_mutex_unlock_iothread();
    reader = false;
}

proc pflash_update(ref bool inside) requires holds(BQL) @ "hw/block/pflash_cfi01.c:pflash_update" {
    assert alone_in_device: forall v in 0..VCPUS - 1: !in_device[v] "no vCPU enters the device while another is in it";
    inside = true;
    bdrv_poll_co(write_in_progress, blk_co_pwrite_entry);
    atomic {
        assert stored: !write_in_progress "bdrv_poll_co() returns when the request has ended";
        inside = false;
    }
}

thread main_loop @ "softmmu/runstate.c:qemu_main_loop" {
    qemu_mutex_lock_iothread();
    loop {
        os_host_main_loop_wait();
        poll main_context;
        poll iohandler_context;
    }
}

thread vcpu[v: VCPUS] @ "accel/kvm/kvm-all.c:kvm_cpu_exec" {
    loop {
        skip;                                    // guest code, without the BQL
        address_space_write(rcu_reader[v], in_device[v]);
    }
}

deadlock free;

liveness replies: eventually replied;
strong fair main_loop;                           // the BQL is not fair, but nobody is kept from it for ever
strong fair call_rcu_thread;
strong fair vcpu;

// The BQL is held all through an access, but for what a nested loop runs in the middle of it.
invariant device_under_bql: forall v in vcpu: at(v, bdrv_poll_co.waiting) implies holds(v, BQL);
// Nobody sleeps with the BQL's flag set here: it is set exactly for the owner.
invariant flag_with_bql: forall t in thread: holds(t, BQL) == t.iothread_locked;
// The main loop sleeps without the BQL.
invariant idle_without_bql: at(main_loop, os_host_main_loop_wait.idle) implies !holds(main_loop, BQL);
