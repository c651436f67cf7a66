// The job of snapshot-save, and a quit: what snapshot_job_in_main_context.dsl and snapshot_job_in_iohandler.dsl share.
//
// snapshot_save_job_run() leaves the work to a bottom half. In main_context a vCPU may come to run that, in iohandler_context nobody but
// the main loop does, outside of nested loops. Two things depend on the choice:
// - vm_stop() in a vCPU is only a request: the devices are live while their state is saved. virtio_net_pre_save() asserts otherwise.
// - When QEMU quits, the main loop waits in a nested loop on main_context until the job is completed. That wait must run the job.
//
// The importer declares snapshot_save_job_bh, on the context that it runs in.
//
// What is abstracted, beyond lib/qemu.dsl:
// - One snapshot. What it writes is one write after the devices' state; the setup, and the BQL around it, is for savevm.dsl.
// - The quit is a signal, which may come at any time. Its wake-up of the main loop, qemu_notify_event(), stands here as a bottom half
//   that only the main loop dispatches: a sleeping poll is woken by the signal itself, which no nested loop can take away.
// - qemu_cleanup() is vm_shutdown() and the wait for the jobs. The drained section that it opens first, and never ends, is left out: with
//   it a pflash write that it holds up may keep the quit, whichever context the job is in. Cancelling asks the job to stop, which this
//   one does at its end only.
// - vhost_started is no variable: vm_stop() stops vhost once every vCPU has stopped, vm_start() starts it. It is false exactly while the
//   guest is not running and every vCPU has stopped.

import "lib/qemu.dsl";
import "lib/runstate.dsl";

param VCPUS in 1..64 = 2;

bool pflash_in_progress[VCPUS];
bool vmstate_in_progress = false;
bool job_created = false;
bool job_completed = false;
bool shutdown_requested = false;
bool exited = false;

thread mon_iothread {
    schedule do_qmp_dispatch_bh @ "monitor/qmp.c:handle_qmp_command";        // the user asks for a snapshot
}

bh do_qmp_dispatch_bh on iohandler_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" {
    job_created = true @ "migration/savevm.c:qmp_snapshot_save";
    schedule snapshot_save_job_bh @ "migration/savevm.c:snapshot_save_job_run";
}

proc save_snapshot() requires holds(BQL) @ "migration/savevm.c:save_snapshot" {
    bool saved_vm_running = current_run_state == RUN_STATE_RUNNING;
    vm_stop();
    virtio_net_pre_save();
    bdrv_poll_co(vmstate_in_progress, bdrv_co_writev_vmstate_entry) @ "block/block-gen.c:bdrv_writev_vmstate";
    if (saved_vm_running) {
        vm_start();
    }
}

proc virtio_net_pre_save() @ "hw/net/virtio-net.c:virtio_net_pre_save" {
    assert vhost_stopped: current_run_state != RUN_STATE_RUNNING && (forall v in vcpu: stopped[v]) "!n->vhost_started";
}

// The job's coroutine goes on, and ends.
proc snapshot_save_job_done() @ "migration/savevm.c:snapshot_save_job_bh" {
    schedule job_exit @ "job.c:job_co_entry";
}

bh job_exit on main_context @ "job.c:job_exit" {
    atomic {                                     // the kick comes after
        job_completed = true;
        aio_wait_kick();
    }
}

bh bdrv_co_writev_vmstate_entry on main_context { bdrv_poll_co_done(vmstate_in_progress); }
bh blk_co_pwrite_entry[v: VCPUS] on main_context { bdrv_poll_co_done(pflash_in_progress[v]); }

thread termsig_handler @ "os-posix.c:termsig_handler" {
    atomic {
        shutdown_requested = true;
        schedule qemu_notify_bh;
    }
}

bh qemu_notify_bh on default_main_context @ "util/main-loop.c:notify_event_cb" { }

thread main_loop @ "softmmu/runstate.c:qemu_main_loop" {
    qemu_mutex_lock_iothread();
    while (!shutdown_requested) {
        os_host_main_loop_wait();
        poll main_context;
        poll iohandler_context;
        poll default_main_context;
        main_loop_should_exit();
    }
    qemu_cleanup();
    exited = true;
}

proc qemu_cleanup() @ "softmmu/runstate.c:qemu_cleanup" {
    do_vm_stop() @ "softmmu/cpus.c:vm_shutdown";
    if (job_created) {
        job_finish_sync_locked();
    }
}

proc job_finish_sync_locked() @ "job.c:job_finish_sync_locked" {
    num_waiters = num_waiters + 1;
    finishing: aio_wait_while main_context (!job_completed);
    num_waiters = num_waiters - 1;
}

thread vcpu[v: VCPUS] @ "accel/kvm/kvm-accel-ops.c:kvm_vcpu_thread_fn" {
    loop {
        choose {
            qemu_mutex_lock_iothread() @ "softmmu/physmem.c:prepare_mmio_access";
            bdrv_poll_co(pflash_in_progress[v], blk_co_pwrite_entry[v]) @ "hw/block/pflash_cfi01.c:pflash_update";
            qemu_mutex_unlock_iothread();
        } or { }                                 // out of the guest for another reason
        qemu_mutex_lock_iothread();
        qemu_wait_io_event(halt_cond[v], work_queued[v]);
        qemu_mutex_unlock_iothread();
    }
}

deadlock free;

liveness quits: shutdown_requested leads to exited;
strong fair main_loop;                           // the BQL is not fair, but nobody is kept from it for ever
strong fair vcpu;

// The job's nested loops run under the BQL.
invariant block_layer_under_bql: forall t in thread: at(t, bdrv_poll_co.waiting) implies holds(t, BQL);
