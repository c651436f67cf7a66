// snapshot-save since 930e239d11, with vm_start() at its end: what the fix leaves behind when a vCPU runs the job.
//
// vm_stop() in a vCPU is only a request, to the main loop, and a mark on this vCPU to stop. Two things come of it:
// - The BQL is free around multifd_send_sync_main(), and under TCG in run_on_cpu(). There the main loop may carry the request out, and
//   sleep in pause_all_vcpus() until every vCPU has stopped. vm_start() then clears the marks: no vCPU stops any more, and the main loop
//   sleeps for ever.
// - Where the main loop does not get that far, vm_start() takes the request back but leaves the mark: this vCPU stops, while the guest
//   is said to run. That needs no moment without the BQL. The log of such a run (QEMU 7.2.22, patched to hold the BQL over the setup) fits:
//   after one more write the vCPU goes to sleep on its halt condition, the guest being in a loop without a halt, and does nothing in the
//   7 ms that are left of the log.

protocol savevm_resume "snapshot-save, the BQL held during setup, then vm_start(): what is left to fix";

const BEYOND = RESUME;

import "patch/merged.dsl";
import "savevm_qmp.dsl";

expect violated invariant.pause_is_awaited;
expect violated invariant.stopped_for_good;
