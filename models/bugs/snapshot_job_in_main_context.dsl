// snapshot-save, its work in main_context: the devices may be live while their state is saved.
//
// A vCPU that waits inside of a pflash write runs the job. It cannot wait for itself to stop, so that vm_stop() only leaves a request,
// and virtio_net_pre_save() asserts (GitLab #2111). 930e239d11 does not change that. The quit at least runs the job, and does not wait
// for it in vain.

protocol snapshot_job_in_main_context "snapshot-save, its bottom half in the main context, and a quit";

import "snapshot_job.dsl";

bh snapshot_save_job_bh on main_context @ "migration/savevm.c:snapshot_save_job_bh" {
    save_snapshot();
    snapshot_save_job_done();
}

expect violated assert.vhost_stopped;
