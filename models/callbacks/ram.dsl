// The RAM section's setup, as a snapshot and a migration both call it.
//
// Before 930e239d11 its caller held no lock, and ram_init_bitmaps() took the BQL for itself; since then the caller holds it, and drops it
// around multifd_send_sync_main() alone. The importer says which (HOLD_BQL_DURING_SETUP, DROP_BQL_AROUND_SYNC), declares the hook, and
// says what multifd_send_sync_main() and qemu_fflush() do.

mutex ramlist;

callback ram_save_setup for save_setup requires holds(BQL) == HOLD_BQL_DURING_SETUP @ "migration/ram.c:ram_save_setup" {
    ram_init_bitmaps();
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
    if (!HOLD_BQL_DURING_SETUP) {
        qemu_mutex_lock_iothread();
    }
    with ramlist {
        assert dirty_log: holds(BQL) "memory_global_dirty_log_start() commits a memory transaction: it needs the BQL";
    }
    if (!HOLD_BQL_DURING_SETUP) {
        qemu_mutex_unlock_iothread();
    }
}
