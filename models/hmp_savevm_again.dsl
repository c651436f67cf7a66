// savevm in the monitor, that it ends, and that the guest runs again: what hmp_savevm_ends*.dsl share.

import "savevm_hmp.dsl";

strong fair main_loop;                           // the BQL is not fair
strong fair vcpu;

liveness command_ends: eventually saved;
liveness guest_runs_again: current_run_state == RUN_STATE_SAVE_VM leads to current_run_state == RUN_STATE_RUNNING;
liveness vcpus_run_again: (exists v in vcpu: stopped[v])
    leads to (forall v in vcpu: !stopped[v] && !stop[v] && !at(v, qemu_wait_io_event.idle));
