// The QMP command snapshot-save: a job, whose bottom half in main_context saves the snapshot.

import "savevm.dsl";

thread mon_iothread @ "monitor/qmp.c:handle_qmp_command" {
    schedule do_qmp_dispatch_bh;                 // the user asks for a snapshot
}

bh do_qmp_dispatch_bh on iohandler_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" {
    schedule snapshot_save_job_bh @ "migration/savevm.c:snapshot_save_job_run";
}

oneshot bh snapshot_save_job_bh on main_context max 1 @ "migration/savevm.c:snapshot_save_job_bh" {
    save_snapshot();
}

// Nobody stops the guest before somebody asks for a snapshot.
invariant stopped_for_snapshot: current_run_state != RUN_STATE_RUNNING implies finished(mon_iothread);
