// Saving a snapshot, to the end of its setup: what every savevm_*.dsl and hmp_savevm_*.dsl shares.
//
// The race: the QMP handler only schedules snapshot_save_job_bh on main_context. Whichever thread polls that context next runs it: the
// main loop, or a vCPU that waits inside of a pflash write. There, qemu_savevm_state() dropped the BQL for the setup (9b09503752), so
// that the vCPU was in no context any more when bdrv_writev_vmstate() came to wait. 930e239d11 holds the BQL instead.
//
// The importer says which version of the patch it is (patch/*.dsl), how the snapshot is asked for (savevm_qmp.dsl, savevm_hmp.dsl), and
// what of the job is looked at beyond the setup (BEYOND): the rest of the job multiplies the states, and what goes wrong there is another
// matter than the patch. The models of the patch leave it all out; each of the others puts one thing in. `-D` puts it in anywhere.
//
// What is abstracted, beyond lib/qemu.dsl:
// - One snapshot. The QMP handler runs from iohandler_context, as since 7.2.9 (effd60c878).
// - The setup's writes are one flush in ram_save_setup(): whatever is put before goes to a buffer of 32 KiB.
// - multifd is off for snapshots: multifd_send_sync_main() returns at once. What the BQL being free around it allows is all here.
// - Of the callbacks only the RAM's is here. A snapshot may call those of dirty bitmaps, VFIO, s390 and pseries too: save_setup/*.dsl.
// - TCG says only whether run_on_cpu() is looked at.
// - Saving the devices' state is left out; it comes after the setup.

import "lib/block.dsl";
import "lib/runstate.dsl";
import "savevm_holds.dsl";

enum beyond {
    NOTHING,
    HEADER_FLUSH,                                // writing the header fills the buffer, and flushes it
    RUN_ON_CPU,                                  // TCG: the bitmap sync gives the BQL back while it waits for the other vCPUs
    DRAIN,                                       // bdrv_drain_all_begin() before, bdrv_drain_all_end() after
    DRAIN_RUN_ON_CPU,
    CONTEXT_LOCK,                                // the lock of main_context, held from before the setup to the end (gone in 9.0)
    CONTEXT_LOCK_RUN_ON_CPU,
    RESUME,                                      // vm_start() at the end
    RESUME_IN_THE_END,                           // vm_start() at the end, and that it comes to that
    RESUME_IN_THE_END_RUN_ON_CPU
}

param VCPUS in 1..* = 2;
param HEADER_FLUSHES in bool = BEYOND == HEADER_FLUSH;
param TCG in bool = BEYOND == RUN_ON_CPU || BEYOND == DRAIN_RUN_ON_CPU || BEYOND == CONTEXT_LOCK_RUN_ON_CPU
    || BEYOND == RESUME_IN_THE_END_RUN_ON_CPU;
param DRAINED_SECTION in bool = BEYOND == DRAIN || BEYOND == DRAIN_RUN_ON_CPU;
param AIO_CONTEXT_LOCK in bool = BEYOND == CONTEXT_LOCK || BEYOND == CONTEXT_LOCK_RUN_ON_CPU;
param VM_START in bool = BEYOND == RESUME || IN_THE_END;

// Where it matters that something happens in the end, a vCPU that is asked to stop comes out of the guest: it is kicked, and looks at its
// requests after the exit that it is in. Elsewhere it may go on for as long as it likes, which allows for more.
const IN_THE_END = BEYOND == RESUME_IN_THE_END || BEYOND == RESUME_IN_THE_END_RUN_ON_CPU;

const BACKGROUND_SNAPSHOT = false;

bool saved = false;
0..1 setups = 0;

import "callbacks/contract.dsl";
import "callbacks/ram.dsl";

proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" { }      // multifd is off

proc save_snapshot() requires holds(BQL) @ "migration/savevm.c:save_snapshot" {
    vm_stop();
    if (DRAINED_SECTION) {
        bdrv_drain_all_begin();
    }
    if (AIO_CONTEXT_LOCK) {
        lock main_context_lock @ "util/async.c:aio_context_acquire";
    }
    qemu_savevm_state();
    assert set_up: setups == 1 "the setup is done, once, when qemu_savevm_state() returns";
    if (AIO_CONTEXT_LOCK) {
        unlock main_context_lock @ "util/async.c:aio_context_release";
    }
    if (DRAINED_SECTION) {
        bdrv_drain_all_end();
    }
    if (VM_START) {
        vm_start();
    }
    if (IN_THE_END) {
        saved = true;
    }
}

proc qemu_savevm_state() @ "migration/savevm.c:qemu_savevm_state" {
    if (!HEADER_UNDER_BQL) {
        qemu_mutex_unlock_iothread();
    }
    qemu_savevm_state_header();
    if (HEADER_UNDER_BQL && !SNAPSHOT_HOLDS_BQL) {
        qemu_mutex_unlock_iothread();
    } else if (!HEADER_UNDER_BQL && SNAPSHOT_HOLDS_BQL) {
        qemu_mutex_lock_iothread();
    }
    qemu_savevm_state_setup();
    if (!SNAPSHOT_HOLDS_BQL) {
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
    setups = setups + 1;
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

thread vcpu[v: VCPUS] @ "softmmu/cpus.c:qemu_wait_io_event" {      // the loop around it, of TCG and KVM alike
    loop {
        qemu_mutex_lock_iothread();              // guest code, for as long as it takes to need the BQL
        choose {
            pflash_update(pflash_in_progress[v], pflash_queued[v], pflash_written[v], blk_co_pwrite_entry[v]);       // a store
        } or {
            skip @ "accel/tcg/cputlb.c:io_writex";       // an access that writes nothing to a disk; KVM: softmmu/physmem.c:flatview_write()
        } or {
            qemu_wait_io_event(halt_cond[v], work_queued[v]);        // out of the guest for another reason, perhaps to be stopped
        }
        if (IN_THE_END) {
            qemu_wait_io_event(halt_cond[v], work_queued[v]);
        }
        qemu_mutex_unlock_iothread();
    }
}
