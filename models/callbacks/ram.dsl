// The RAM section's setup, as snapshots, migrations and background snapshots call it.
//
// Before 930e239d11 its caller held no lock, and ram_init_bitmaps() took the BQL for itself; since then the caller holds it, and it is
// dropped around multifd_send_sync_main() alone. The importer says which (../patch), declares the hook and the vCPUs, says what
// multifd_send_sync_main() and qemu_fflush() do, whether the vCPUs are TCG's (TCG), and whether this is a background snapshot.
//
// What is abstracted: what is put before the flush at the end goes to a buffer. Compression threads take no lock; they are left out.

import "bql.dsl";
import "../lib/memory.dsl";
import "../lib/rcu.dsl";
import "../lib/run_on_cpu.dsl";

mutex ramlist;                                   // the list of RAM blocks
mutex bitmap_mutex;                              // RAMState::bitmap_mutex

callback ram_save_setup for save_setup requires CALLBACKS_TAKE_BQL == CALLER_HOLDS implies holds(BQL)
    @ "migration/ram.c:ram_save_setup" {
    ram_init_bitmaps();
    rcu_read_lock();
    assert block_list_read: holds(rcu) "the list of RAM blocks is put from within a section" @ "migration/ram.c:ram_save_setup";
    rcu_read_unlock();
    if (DROP_BQL_AROUND_SYNC) {
        qemu_mutex_unlock_iothread();
    }
    multifd_send_sync_main();
    if (DROP_BQL_AROUND_SYNC) {
        qemu_mutex_lock_iothread();
    }
    qemu_fflush();
}

proc ram_init_bitmaps() @ "migration/ram.c:ram_init_bitmaps" {
    callback_takes_bql();
    with ramlist @ "softmmu/physmem.c:qemu_mutex_lock_ramlist" {
        rcu_read_lock();
        ram_list_init_bitmaps();
        if (!BACKGROUND_SNAPSHOT) {              // those write-protect the guest's memory instead
            memory_global_dirty_log_start();
            migration_bitmap_sync();
        }
        rcu_read_unlock();
    }
    callback_gives_bql_back();
}

// Allocates a bitmap for each block of the list.
proc ram_list_init_bitmaps() requires holds(ramlist) && holds(rcu) @ "migration/ram.c:ram_list_init_bitmaps" { }

proc migration_bitmap_sync() @ "migration/ram.c:migration_bitmap_sync" {
    with bitmap_mutex {
        ramblock_sync_dirty_bitmap();
    }
    if (TCG) {
        for a in 0..1 {                          // address spaces of a vCPU: memory and SMM
            tcg_log_global_after_sync();         // the caller sleeps, with ramlist and RCU held
        }
    }
}

proc ramblock_sync_dirty_bitmap() requires holds(bitmap_mutex) && holds(rcu) @ "migration/ram.c:ramblock_sync_dirty_bitmap" { }

// What survives `formal mutate`, and why.
// Survives: duplicate ram_init_bitmaps() in ram_save_setup: the same again
// Survives: swap rcu_read_unlock(); qemu_mutex_unlock_iothread() in ram_save_setup: nothing is waited for in between
// Survives: * ram_list_init_bitmaps() in ram_init_bitmaps: nothing of it is here but what it requires
// Survives: duplicate migration_bitmap_sync() in ram_init_bitmaps: the bitmap is up to date already
// Survives: duplicate tcg_log_global_after_sync() in migration_bitmap_sync: the same
