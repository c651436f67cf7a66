// What a run of QEMU does beside the protocols of the other models: `formal conform` adds it to them, so that a log fits.
//
// - The RCU thread takes the BQL when it likes.
// - Anybody kicks a halted vCPU. pause_all_vcpus() does so after every wake-up, which lib/runstate.dsl leaves out; the vCPU looks whether
//   there is something to do, and sleeps again.
// - Under TCG a vCPU of x86 has two address spaces (memory and SMM), so that tcg_log_global_after_sync() is called twice for each: whoever
//   waits in run_on_cpu() may have to wait once more. callbacks/ram.dsl has one call.

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

thread second_address_space[k: VCPUS] @ "softmmu/physmem.c:tcg_log_global_after_sync" {
    loop {
        atomic {
            await exists t in thread: at(t, run_on_cpu.working);
            work_queued[k] = true;
            broadcast halt_cond[k];
        }
    }
}
