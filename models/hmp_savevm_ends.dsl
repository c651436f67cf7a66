// savevm in the monitor, since 930e239d11, with vm_start() at its end: the snapshot is saved, and the guest runs again, every vCPU of it.

protocol hmp_savevm_ends "HMP savevm, the BQL held during setup (930e239d11): it ends, and the guest runs again";

const BEYOND = RESUME_IN_THE_END;

import "patch/merged.dsl";
import "savevm_hmp.dsl";

strong fair main_loop;                           // the BQL is not fair
strong fair vcpu;

liveness command_ends: eventually saved;
liveness guest_runs_again: current_run_state == RUN_STATE_SAVE_VM leads to current_run_state == RUN_STATE_RUNNING;
liveness vcpus_run_again: (exists v in vcpu: stopped[v]) leads to (forall v in vcpu: !stopped[v] && !stop[v]);

expect proved;
