// What a save_setup callback may do: the contract between it and whoever invokes the hook, since 930e239d11.
//
// `formal prove --contract MODEL` proves a model that invokes the hook with any callbacks that keep to this; `formal prove --contract FILE`
// holds the callbacks of one file to it. What a callback does beyond its own file goes through the procedures named here. What they
// share, these imports declare.

import "bql.dsl";
import "../lib/disk.dsl";
import "../lib/memory.dsl";
import "../lib/rcu.dsl";
import "../lib/run_on_cpu.dsl";

hook save_setup {
    requires holds(BQL) && iothread_locked;
    ensures holds(BQL) && iothread_locked;
    may drop BQL by qemu_mutex_unlock_iothread, qemu_mutex_lock_iothread;
    may rdlock rcu;
    may poll main_context requires holds(BQL) && iothread_locked && !holds(rcu);
    may call bdrv_drained_begin requires holds(BQL) && iothread_locked && !holds(rcu);
    may call tcg_log_global_after_sync if TCG requires holds(BQL) && iothread_locked;
    may call multifd_send_sync_main once by ram_save_setup requires !holds(BQL) && !holds(rcu);
    may call qemu_fflush requires holds(BQL) && iothread_locked && !holds(rcu);
    thread may lock BQL;
}

// Each vCPU has to end its translation block: the caller sleeps, with all but the BQL held.
proc tcg_log_global_after_sync() @ "softmmu/physmem.c:tcg_log_global_after_sync" {
    for v in 0..VCPUS - 1 {
        run_on_cpu(vcpu[v], work_queued[v], halt_cond[v]);
    }
}

// Survives: duplicate run_on_cpu(*) in tcg_log_global_after_sync: the work is done already
