// snapshot-save before 930e239d11: qemu_savevm_state() drops the BQL for the setup.
//
// A vCPU that polls main_context inside of a pflash write runs snapshot_save_job_bh there. Once the BQL is dropped, the vCPU is in no
// AioContext, and the flush at the end of ram_save_setup() ends in bdrv_poll_co()'s assertion
// `qemu_get_current_aio_context() == qemu_get_aio_context()'. QEMU 7.2.22 aborts there, in the vCPU's thread.
// On the main loop the same write runs without the BQL too. No assertion sees that, but it is a data race: the second.

protocol savevm_unlocked "snapshot-save, the BQL dropped during setup (before 930e239d11)";

const BEYOND = NOTHING;

import "patch/none.dsl";
import "savevm_qmp.dsl";

expect violated wrong_context;                   // in a vCPU
expect violated invariant.main_loop_under_bql;
expect violated invariant.one_poller;            // by two vCPUs, before the assertion of the first fails

// What `formal repair` finds here, and why it is not enough outside of this model:
// Repair: delete `callback_takes_bql()` * in ram_init_bitmaps: a migration comes there without the BQL; it has to take it for the setup
// Repair: insert * in ram_save_setup: the header and other callbacks' output may flush as well, without the BQL (-D HEADER_FLUSHES=true)
// Repair: insert * in qemu_fflush: the rest of the job flushes with the BQL held, where this is a second lock
// Repair: insert * in bdrv_writev_vmstate: the rest of the job comes there with the BQL held, where this is a second lock
