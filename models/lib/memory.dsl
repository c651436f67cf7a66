// Memory regions: a change to the memory map is a transaction, which only the BQL protects.

import "qemu.dsl";

proc memory_region_transaction_commit() requires holds(BQL) @ "softmmu/memory.c:memory_region_transaction_commit" {
    skip;                                        // g_assert(qemu_mutex_iothread_locked())
}

proc memory_global_dirty_log_start() @ "softmmu/memory.c:memory_global_dirty_log_start" {
    memory_region_transaction_commit();
}

// Survives: drop requires.memory_region_transaction_commit in *: the BQL is required sooner, by whoever calls this
