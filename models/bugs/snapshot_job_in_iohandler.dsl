// snapshot-save, its work in iohandler_context, as proposed on 5 Jun 2024 ("migration/savevm: do not schedule
// snapshot_save_job_bh in qemu_aio_context"): the crash is gone, a hang has come.
//
// Only the main loop runs the job, and the guest is stopped while it does. But when the quit comes before the bottom half was dispatched,
// nobody does so any more: the main loop waits for the job in a nested loop on main_context, and that loop does not poll iohandler_context.

protocol snapshot_job_in_iohandler "snapshot-save, its bottom half in the iohandler context, and a quit (proposed)";

import "snapshot_job.dsl";

bh snapshot_save_job_bh on iohandler_context @ "migration/savevm.c:snapshot_save_job_bh" {
    save_snapshot();
    snapshot_save_job_done();
}

expect violated deadlock.global;
expect violated liveness.quits;
