// The block layer as a snapshot sees it: a pflash that every vCPU writes to, the file of the VM's state, and the drained section.
//
// The importer declares VCPUS and says whether requests meet a drained section at all (DRAINED_SECTION), and whether the lock of
// main_context is looked at (AIO_CONTEXT_LOCK): before 9.0 a coroutine is entered with it held, by aio_co_enter() and co_schedule_bh_cb().

import "qemu.dsl";

recursive mutex main_context_lock max 3;         // AioContext::lock of main_context

bool vmstate_in_progress = false;
bool vmstate_written = false;                    // came to the disk
bool pflash_in_progress[VCPUS];
bool pflash_written[VCPUS];                      // came to the disk
bool pflash_quiesced = false;                    // BlockBackend::quiesce_counter of the pflash
bool pflash_queued[VCPUS];                       // its queued_requests

bh bdrv_co_writev_vmstate_entry on main_context {
    enter_coroutine();
    vmstate_written = true;
    bdrv_poll_co_done(vmstate_in_progress);
}

bh blk_co_pwrite_entry[v: VCPUS] on main_context {
    enter_coroutine();
    pflash_written[v] = true;
    bdrv_poll_co_done(pflash_in_progress[v]);
}

// For as long as the coroutine runs, which is up to its next request; nothing else is looked at meanwhile.
proc enter_coroutine() @ "util/async.c:aio_co_enter" {
    if (AIO_CONTEXT_LOCK) {
        with main_context_lock {
            skip;
        }
    }
}

// Goes to the node itself, not through a BlockBackend: a drained section does not stop it.
proc bdrv_writev_vmstate() @ "block/block-gen.c:bdrv_writev_vmstate" {
    enter_coroutine();
    bdrv_poll_co(vmstate_in_progress, bdrv_co_writev_vmstate_entry);
    atomic {
        assert state_stored: vmstate_written "bdrv_writev_vmstate() returns when the request has ended";
        vmstate_written = false;                 // looked at
    }
}

// As bdrv_poll_co(), but that a request which meets a drained section is queued: its coroutine waits until the section ends.
proc blk_pwrite(ref bool in_progress, ref bool queued, ref bh co) @ "block/block-gen.c:blk_pwrite" {
    enter_coroutine();
    if (DRAINED_SECTION) {
        atomic {
            in_progress = true;
            num_waiters = num_waiters + 1;
            if (pflash_quiesced) {
                queued = true @ "block/block-backend.c:blk_wait_while_drained";
            } else {
                schedule co;
            }
        }
        waiting: aio_wait_while main_context (in_progress);
        num_waiters = num_waiters - 1;
    } else {
        bdrv_poll_co(in_progress, co);
    }
}

// What the guest has stored is on disk when the store ends.
proc pflash_update(ref bool in_progress, ref bool queued, ref bool written, ref bh co) @ "hw/block/pflash_cfi01.c:pflash_update" {
    blk_pwrite(in_progress, queued, co);
    atomic {
        assert stored: written "blk_pwrite() returns when the request has ended";
        written = false;                         // looked at
    }
}

proc bdrv_drain_all_begin() @ "block/io.c:bdrv_drain_all_begin" {
    pflash_quiesced = true;
    aio_wait_while main_context (exists v in 0..VCPUS - 1: pflash_in_progress[v] && !pflash_queued[v]);
}

proc bdrv_drain_all_end() @ "block/io.c:bdrv_drain_all_end" {
    atomic {                                     // all under the BQL
        pflash_quiesced = false;
        for v in 0..VCPUS - 1 {
            if (pflash_queued[v]) {
                pflash_queued[v] = false;
                schedule blk_co_pwrite_entry[v];
            }
        }
    }
}

// What survives `formal mutate`, and why.
// Survives: swap vmstate_written = true; bdrv_poll_co_done(vmstate_in_progress) in *: nobody looks in between
// Survives: swap pflash_written[v] = true; bdrv_poll_co_done(pflash_in_progress[v]) in *: nobody looks in between
// Survives: duplicate bdrv_poll_co_done(*) in *: a kick for nothing
// Survives: duplicate bdrv_poll_co(vmstate_in_progress, *) in bdrv_writev_vmstate: the same bytes once more
// Survives: duplicate bdrv_poll_co(in_progress, co) in blk_pwrite: the same bytes once more
// Survives: duplicate blk_pwrite(in_progress, queued, co) in pflash_update: the same bytes once more
