// snapshot-save, from the QMP command to the end of its setup: what savevm_unlocked.dsl and savevm_locked.dsl share.
//
// The race: the QMP handler only schedules snapshot_save_job_bh on main_context. Whichever thread polls that context next runs it: the
// main loop, or a vCPU that waits inside of a pflash write. There, qemu_savevm_state() dropped the BQL for the setup (9b09503752), so
// that the vCPU was in no context any more when bdrv_writev_vmstate() came to wait. 930e239d11 holds the BQL instead.
//
// The importer says which of the two it is (HOLD_BQL_DURING_SETUP) and whether the guest is resumed afterwards (VM_START).
// What is abstracted, beyond lib/qemu.dsl:
// - One snapshot. The QMP handler runs from iohandler_context, as since 7.2.9 (effd60c878).
// - The setup's writes are one flush in ram_save_setup(). Whatever is put before goes to a buffer of 32 KiB; that the header could be
//   flushed too is for -D HEADER_FLUSHES=true.
// - multifd is off for snapshots: multifd_send_sync_main() returns at once. What the BQL being free around it allows is all here.
// - Left out: the AioContext's own lock, the drained section, TCG's run_on_cpu() (it would drop the BQL in the bitmap sync), and the
//   devices' state. They come before or after the setup, or add locks of their own; nothing is claimed about them.

import "lib/runstate.dsl";

param VCPUS in 1..64 = 2;
param HEADER_FLUSHES in bool = false;

const DROP_BQL_AROUND_SYNC = HOLD_BQL_DURING_SETUP;           // the fix did both

hook save_setup;
import "callbacks/ram.dsl";

proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" { }      // multifd is off

bool vmstate_in_progress = false;
bool pflash_in_progress[VCPUS];

bh bdrv_co_writev_vmstate_entry on main_context { bdrv_poll_co_done(vmstate_in_progress); }
bh blk_co_pwrite_entry[v: VCPUS] on main_context { bdrv_poll_co_done(pflash_in_progress[v]); }

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
    qemu_savevm_state();
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

proc bdrv_writev_vmstate() @ "block/block-gen.h:bdrv_writev_vmstate" {
    bdrv_poll_co(vmstate_in_progress, bdrv_co_writev_vmstate_entry);
}

proc pflash_update(ref bool in_progress, ref bh co) @ "hw/block/pflash_cfi01.c:pflash_update" {
    bdrv_poll_co(in_progress, co);               // blk_pwrite()
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
        guest: skip;                             // guest code, without the BQL
        qemu_mutex_lock_iothread();
        choose {
            pflash_update(pflash_in_progress[v], blk_co_pwrite_entry[v]);        // an MMIO write
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
// Guest code runs without the BQL, and not while the guest is stopped.
invariant guest_without_bql: forall v in vcpu: at(v, vcpu.guest) implies !v.iothread_locked && !stopped[v];
// Who sleeps until the guest is stopped has asked every vCPU to stop, and a vCPU stops only for a guest that is stopped, or is to be.
invariant pause_is_awaited: at(main_loop, pause_all_vcpus.paused) implies (forall v in vcpu: stop[v] || stopped[v]);
invariant stopped_for_good: forall v in vcpu: stopped[v] implies vmstop_requested || current_run_state != RUN_STATE_RUNNING;
