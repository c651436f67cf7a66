// snapshot-save since 930e239d11, with vm_start() at its end: what the fix leaves behind when a vCPU runs the job.
//
// vm_stop() in a vCPU is only a request. The BQL is free around multifd_send_sync_main(): there the main loop may carry the request out,
// and sleep in pause_all_vcpus() until every vCPU has stopped. vm_start() at the job's end then clears the stop flags of all of them: no
// vCPU stops any more, and the main loop sleeps for ever, while the guest runs on.

protocol savevm_resume "snapshot-save, the BQL held during setup, then vm_start(): a hang that is left";

const HOLD_BQL_DURING_SETUP = true;
const VM_START = true;

import "savevm.dsl";

expect violated deadlock.partial;
