// The start of dirty logging, at the beginning of a migration: what the models dirty_log_*.dsl share.
//
// memory_global_dirty_log_start() is a memory transaction: it counts itself in, marks the memory map as changed, and its commit renders
// the map once the last transaction is over. The counter and the mark belong to the BQL: the main loop and the vCPUs change the map too.
// The commit asserts that the BQL is held. ram_init_bitmaps() calls it with the lock of the RAM list held, which comes after the BQL.
//
// The importer says who takes the BQL: ram_init_bitmaps() itself (RAM_INIT_TAKES_BQL), its caller (CALLER_HOLDS_BQL), or nobody; and
// whether the first synchronisation of the bitmap gives the BQL back while it waits for a vCPU, as with TCG (RUN_ON_CPU).
//
// What is abstracted, beyond lib/qemu.dsl:
// - One migration, up to where ram_init_bitmaps() returns. The main loop creates one memory backend, which adds a RAM block (device_add is
//   refused during a migration, object-add is not), and may reset the guest; vCPUs map a region now and then.
// - A transaction is one change of the map. Only the migration waits for work on a vCPU.
// - Who takes the RAM list's lock here has the BQL too, so that it excludes nobody that the BQL does not (but with RUN_ON_CPU). It is for
//   readers and writers without the BQL; what holds here is that the list is looked at and changed under it.

import "lib/qemu.dsl";

param VCPUS in 1..64 = 1;

mutex ramlist;                                   // RAMList::mutex
0..8 memory_region_transaction_depth = 0;
bool memory_region_update_pending = false;
bool work_queued = false;                        // a CPUState::work_list
cond qemu_work_cond;

proc memory_region_transaction_begin() @ "softmmu/memory.c:memory_region_transaction_begin" {
    memory_region_transaction_depth = memory_region_transaction_depth + 1;
    memory_region_update_pending = true;         // by what the transaction is for
}

proc memory_region_transaction_commit() requires holds(BQL) @ "softmmu/memory.c:memory_region_transaction_commit" {
    assert in_transaction: memory_region_transaction_depth > 0 "assert(memory_region_transaction_depth)";
    assert to_render: memory_region_update_pending "who commits a change renders it";
    memory_region_transaction_depth = memory_region_transaction_depth - 1;
    if (memory_region_transaction_depth == 0) {
        memory_region_update_pending = false;
    }
    assert rendered: !memory_region_update_pending "the map is up to date once the change is committed";
}

proc memory_global_dirty_log_start() requires holds(BQL) @ "softmmu/memory.c:memory_global_dirty_log_start" {
    memory_region_transaction_begin();
    memory_region_transaction_commit();
}

proc memory_region_add_subregion() requires holds(BQL) @ "softmmu/memory.c:memory_region_add_subregion" {
    memory_region_transaction_begin();
    memory_region_transaction_commit();
}

proc ram_list_init_bitmaps() requires holds(ramlist) @ "migration/ram.c:ram_list_init_bitmaps" { }

proc ram_init_bitmaps() @ "migration/ram.c:ram_init_bitmaps" {
    if (RAM_INIT_TAKES_BQL) {
        qemu_mutex_lock_iothread();
    }
    with ramlist {
        ram_list_init_bitmaps();
        memory_global_dirty_log_start();
        migration_bitmap_sync_precopy();
    }
    if (RAM_INIT_TAKES_BQL) {
        qemu_mutex_unlock_iothread();
    }
}

proc migration_bitmap_sync_precopy() requires holds(ramlist) @ "migration/ram.c:migration_bitmap_sync_precopy" {
    if (RUN_ON_CPU) {
        work_queued = true @ "cpus-common.c:do_run_on_cpu";
        while (work_queued) {
            wait qemu_work_cond with BQL;
        }
    }
}

thread migration_thread @ "migration/migration.c:migration_thread" {
    if (CALLER_HOLDS_BQL) {
        qemu_mutex_lock_iothread();
    }
    ram_init_bitmaps();
    if (CALLER_HOLDS_BQL) {
        qemu_mutex_unlock_iothread();
    }
}

thread mon_iothread {
    schedule do_qmp_dispatch_bh @ "monitor/qmp.c:handle_qmp_command";        // object-add: a memory backend
}

bh do_qmp_dispatch_bh on iohandler_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" {
    ram_block_add();
}

proc ram_block_add() requires holds(BQL) @ "softmmu/physmem.c:ram_block_add" {
    with ramlist {
        ram_list_insert();
    }
}

proc ram_list_insert() requires holds(ramlist) { }

thread main_loop @ "softmmu/runstate.c:qemu_main_loop" {
    qemu_mutex_lock_iothread();
    loop {
        os_host_main_loop_wait();
        poll iohandler_context;
        choose { memory_region_add_subregion() @ "softmmu/runstate.c:qemu_system_reset"; } or { }
    }
}

thread vcpu[VCPUS] @ "accel/tcg/tcg-accel-ops-mttcg.c:mttcg_cpu_thread_fn" {
    loop {
        qemu_mutex_lock_iothread();              // guest code, for as long as it takes to need the BQL
        choose {
            memory_region_add_subregion() @ "hw/pci/pci.c:pci_update_mappings";
        } or {
            process_queued_cpu_work();
        }
        qemu_mutex_unlock_iothread();
    }
}

// All under the BQL, as the list itself.
proc process_queued_cpu_work() requires holds(BQL) @ "cpus-common.c:process_queued_cpu_work" {
    if (RUN_ON_CPU) {
        atomic {
            if (work_queued) {
                work_queued = false;
                broadcast qemu_work_cond;
            }
        }
    }
}

deadlock free;

// A transaction is over before the BQL is given back.
invariant transaction_under_bql: memory_region_transaction_depth > 0 || memory_region_update_pending implies owner(BQL) != none;
