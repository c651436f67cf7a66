// Stopping and starting the guest: vm_stop(), vm_start() and the vCPU's side of them.
//
// The importer declares `thread vcpu[v: VCPUS]`, whose loop calls qemu_wait_io_event(halt_cond[v], work_queued[v]) with the BQL held, and
// a main loop that calls main_loop_should_exit().
//
// What is abstracted: the one state of a guest that does not run is RUN_STATE_SAVE_VM, also where QEMU has another. do_vm_stop() leaves out
// vm_state_notify(), bdrv_drain_all() and bdrv_flush_all(). pause_all_vcpus() kicks every vCPU whenever it wakes up: one that sleeps finds
// itself stopped still, changes nothing, and sleeps again, which is the same to all others as that it takes the BQL a little later. In the
// models it would change no verdict, and take seven times the states for 16 vCPUs; logs show it, and traces/run.dsl has it.

import "qemu.dsl";
import "run_on_cpu.dsl";

enum run_state { RUN_STATE_RUNNING, RUN_STATE_SAVE_VM }

run_state current_run_state = RUN_STATE_RUNNING;
bool stop[vcpu];                                 // CPUState::stop: asked to stop
bool stopped[vcpu];                              // CPUState::stopped: did
cond qemu_pause_cond;
cond halt_cond[VCPUS];

// Called under the BQL, which the sleep gives back.
proc pause_all_vcpus() @ "softmmu/cpus.c:pause_all_vcpus" {
    atomic {
        for v in vcpu {
            stop[v] = true;
        }
    }
    while (exists v in vcpu: !stopped[v]) {
        paused: wait qemu_pause_cond with BQL;
    }
    qemu_mutex_unlock_iothread();                // so that the replay lock can be taken before the BQL
    qemu_mutex_lock_iothread();
}

// Whoever calls it with a request pending has answered that request: the first two changes are one, under the BQL.
proc do_vm_stop() @ "softmmu/cpus.c:do_vm_stop" {
    if (current_run_state == RUN_STATE_RUNNING) {
        atomic {
            vmstop_requested = false;
            current_run_state = RUN_STATE_SAVE_VM;
        }
        pause_all_vcpus();
        assert guest_stopped: forall v in vcpu: stopped[v] "vm_stop() returns, outside of a vCPU, with every vCPU stopped";
    } else {
        vmstop_requested = false;
    }
}

// A vCPU cannot wait for itself: it leaves a request for the main loop, and goes on.
proc vm_stop() @ "softmmu/cpus.c:vm_stop" {
    if (exists v in vcpu: self == v) {
        atomic {                                 // all under the BQL
            vmstop_requested = true;
            stop[self] = true;
        }
    } else {
        do_vm_stop();
    }
}

proc main_loop_should_exit() @ "softmmu/runstate.c:main_loop_should_exit" {
    if (vmstop_requested) {
        do_vm_stop();
    }
}

// Takes back a request that nobody has seen yet; wakes the vCPUs only if the guest was stopped. All under the BQL.
proc vm_start() @ "softmmu/cpus.c:vm_start" {
    atomic {
        vmstop_requested = false;
        if (current_run_state != RUN_STATE_RUNNING) {
            current_run_state = RUN_STATE_RUNNING;
            for v in 0..VCPUS - 1 {
                stop[vcpu[v]] = false;
                stopped[vcpu[v]] = false;
                broadcast halt_cond[v];
            }
        }
    }
}

// All under the BQL, as the flags themselves. A stopped vCPU still does the work that others queue for it.
proc qemu_wait_io_event(ref cond halted, ref bool queued) @ "softmmu/cpus.c:qemu_wait_io_event" {
    atomic {
        if (stop[self]) {
            stop[self] = false;
            stopped[self] = true;
            broadcast qemu_pause_cond;
        }
        process_queued_cpu_work(queued);
    }
    asleep: while (stopped[self]) {
        idle: wait halted with BQL;
        woken: atomic { process_queued_cpu_work(queued); }
    }
}

// What survives `formal mutate`, and why. What is done under the BQL need not be one step, and to stop twice is to stop.
// Survives: take apart atomic { for v in vcpu; stop[v] = true; } in pause_all_vcpus: under the BQL
// Survives: take apart atomic { vmstop_requested = true; stop[self] = true; } in vm_stop: under the BQL
// Survives: take apart atomic { vmstop_requested = false; …} in do_vm_stop: under the BQL
// Survives: duplicate pause_all_vcpus() in do_vm_stop: all have stopped already
// Survives: duplicate do_vm_stop() in vm_stop: the same
// Survives: take apart atomic { process_queued_cpu_work(queued); } in qemu_wait_io_event: under the BQL
// Survives: drop stop[self] = false in qemu_wait_io_event: who has stopped is asked for nothing; vm_start() takes it back, too
// Survives: swap wait halted with BQL; atomic { process_queued_cpu_work(queued); } in qemu_wait_io_event: the work was done before, too
