// What a run of QEMU does beside the protocols of the other models: `formal conform` adds it to them, so that a log fits.
//
// - The RCU thread takes the BQL when it likes.
// - Anybody kicks a halted vCPU: pause_all_vcpus() does so after every wake-up, which lib/runstate.dsl leaves out.

thread call_rcu @ "util/rcu.c:call_rcu_thread" {
    loop {
        qemu_mutex_lock_iothread();
        qemu_mutex_unlock_iothread();
    }
}

thread kick[k: VCPUS] @ "softmmu/cpus.c:qemu_cpu_kick" {
    loop {
        broadcast halt_cond[k];
    }
}
