// snapshot-save since 930e239d11, within its drained section: what the fix leaves behind when one vCPU runs the job and another writes.
//
// The job drains the block layer before the setup and until its end. vm_stop() in a vCPU is only a request, so that the other vCPUs still
// run. The BQL is free around multifd_send_sync_main(), and under TCG in run_on_cpu(): there another vCPU may take it for a pflash write,
// which is queued until the drained section ends, and wait in aio_poll() with the BQL held. The job needs that BQL to get to the end of
// the section. Found here, by the model; not seen on QEMU yet. One vCPU is not enough for it.

protocol savevm_drained "snapshot-save, the BQL held during setup, in its drained section: what is left to fix";

const BEYOND = DRAIN;

import "patch/merged.dsl";
import "savevm_qmp.dsl";

expect violated deadlock.global;
