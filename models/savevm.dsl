// snapshot-save, from the QMP command to the end of its setup: what savevm_unlocked.dsl and savevm_locked.dsl share.
//
// The race: the QMP handler only schedules snapshot_save_job_bh on main_context. Whichever thread polls that context next runs it: the
// main loop, or a vCPU that waits inside of a pflash write. There, qemu_savevm_state() dropped the BQL for the setup (9b09503752), so
// that the vCPU was in no context any more when bdrv_writev_vmstate() came to wait. 930e239d11 holds the BQL instead.
//
// The importer says which of the two it is (HOLD_BQL_DURING_SETUP), and whether the job goes on to do what the setup does not depend on:
// to drain the block layer first (DRAINED_SECTION) and to resume the guest at its end (VM_START). The two models of the patch leave both
// out; savevm_resume.dsl and savevm_drained.dsl each put one in, and show what the patch leaves to fix when a vCPU runs the job.
//
// What is abstracted, beyond lib/qemu.dsl:
// - One snapshot. The QMP handler runs from iohandler_context, as since 7.2.9 (effd60c878).
// - The setup's writes are one flush in ram_save_setup(). Whatever is put before goes to a buffer of 32 KiB; that the header could be
//   flushed too is for -D HEADER_FLUSHES=true.
// - multifd is off for snapshots: multifd_send_sync_main() returns at once. What the BQL being free around it allows is all here.
// - Left out: the AioContext's own lock, TCG's run_on_cpu() (it would drop the BQL in the bitmap sync too), and the devices' state. They
//   come after the setup, or add locks of their own; nothing is claimed about them.

import "lib/block.dsl";
import "lib/runstate.dsl";

param VCPUS in 1..64 = 2;
param HEADER_FLUSHES in bool = false;

const DROP_BQL_AROUND_SYNC = HOLD_BQL_DURING_SETUP;           // the fix did both

hook save_setup;
import "callbacks/ram.dsl";

proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" { }      // multifd is off

thread mon_iothread {
    schedule do_qmp_dispatch_bh;                 // the user asks for a snapshot
}

bh do_qmp_dispatch_bh on iohandler_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" {
    schedule snapshot_save_job_bh @ "migration/savevm.c:snapshot_save_job_run";
}

oneshot bh snapshot_save_job_bh on main_context max 1 @ "migration/savevm.c:snapshot_save_job_bh" {
    save_snapshot();
}

proc save_snapshot() @ "migration/savevm.c:save_snapshot" {
    vm_stop();
    if (DRAINED_SECTION) {
        bdrv_drain_all_begin();
    }
    qemu_savevm_state();
    if (DRAINED_SECTION) {
        bdrv_drain_all_end();
    }
    if (VM_START) {
        vm_start();
    }
}

proc qemu_savevm_state() @ "migration/savevm.c:qemu_savevm_state" {
    if (!HOLD_BQL_DURING_SETUP) {
        qemu_mutex_unlock_iothread();
    }
    qemu_savevm_state_header();
    qemu_savevm_state_setup();
    if (!HOLD_BQL_DURING_SETUP) {
        qemu_mutex_lock_iothread();
    }
}

proc qemu_savevm_state_header() @ "migration/savevm.c:qemu_savevm_state_header" {
    if (HEADER_FLUSHES) {
        qemu_fflush();
    }
}

proc qemu_savevm_state_setup() @ "migration/savevm.c:qemu_savevm_state_setup" {
    invoke save_setup;
}

proc qemu_fflush() @ "migration/qemu-file.c:qemu_fflush" {
    bdrv_writev_vmstate();
}

thread main_loop @ "softmmu/runstate.c:qemu_main_loop" {
    qemu_mutex_lock_iothread();
    loop {
        os_host_main_loop_wait();
        poll main_context;
        poll iohandler_context;
        main_loop_should_exit();
    }
}

thread vcpu[v: VCPUS] @ "accel/tcg/tcg-accel-ops-mttcg.c:mttcg_cpu_thread_fn" {
    loop {
        qemu_mutex_lock_iothread();              // guest code, for as long as it takes to need the BQL
        choose {
            pflash_update(pflash_in_progress[v], pflash_queued[v], blk_co_pwrite_entry[v]);      // an MMIO write
        } or {
            qemu_wait_io_event(halt_cond[v]);    // out of the guest for another reason, perhaps to be stopped
        }
        qemu_mutex_unlock_iothread();
    }
}

deadlock free;

// qemu_mutex_iothread_locked() is true of the owner of the BQL, and of others only while they sleep on a condition variable.
invariant owner_has_flag: forall t in thread: holds(t, BQL) implies t.iothread_locked;
invariant flag_without_bql: forall t in thread: t.iothread_locked && !holds(t, BQL)
    implies at(t, pause_all_vcpus.paused) || at(t, qemu_wait_io_event.idle);
// After the fix nobody waits in the block layer without the BQL. Before it, the job did: on the main loop too, where nothing asserts.
invariant block_layer_under_bql: HOLD_BQL_DURING_SETUP implies (forall t in thread: at(t, bdrv_poll_co.waiting) implies holds(t, BQL));
// A stopped vCPU does nothing, and is not in the guest.
invariant stopped_sleeps: forall v in vcpu: stopped[v] implies at(v, qemu_wait_io_event.asleep) || at(v, qemu_wait_io_event.idle);
// Who sleeps until the guest is stopped has asked every vCPU to stop, and a vCPU stops only for a guest that is stopped, or is to be.
invariant pause_is_awaited: at(main_loop, pause_all_vcpus.paused) implies (forall v in vcpu: stop[v] || stopped[v]);
invariant stopped_for_good: forall v in vcpu: stopped[v] implies vmstop_requested || current_run_state != RUN_STATE_RUNNING;
