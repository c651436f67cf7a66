// Work for another vCPU: run_on_cpu(). Whoever asks sleeps with the BQL given back, and whatever else it holds kept.
//
// The importer declares `thread vcpu[v: VCPUS]` and `cond halt_cond[VCPUS]`, on which a vCPU without anything to do sleeps.

import "qemu.dsl";

cond qemu_work_cond;
bool work_queued[VCPUS];                         // CPUState::work_list: one item each

proc run_on_cpu(ref thread cpu, ref bool queued, ref cond halted) @ "cpus-common.c:do_run_on_cpu" {
    if (self != cpu) {                           // in its own thread it is a plain call
        atomic {
            queued = true;
            broadcast halted @ "softmmu/cpus.c:qemu_cpu_kick";
        }
        while (queued) {
            working: wait qemu_work_cond with BQL;
        }
        assert work_is_done: !queued "run_on_cpu() returns when the work is done";
    }
}

// Called by a vCPU.
proc process_queued_cpu_work(ref bool queued) requires holds(BQL) @ "cpus-common.c:process_queued_cpu_work" {
    if (queued) {
        queued = false;
        broadcast qemu_work_cond;
    }
    assert no_work_left: !queued "the list is empty when it returns";
}

// What survives `formal mutate`, and why.
// Survives: always: if (queued) in process_queued_cpu_work: a wake-up for nothing
