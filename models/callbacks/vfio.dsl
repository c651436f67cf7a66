// VFIO migration. Version 1 of the protocol (7.2) maps a region, if the device has one to map, under a pair of its own; version 2 (since
// 8.0) only asks the device to change its state, which needs no lock. 930e239d11 does not touch the file. The importer says which it is
// (VFIO_VERSION).

import "../lib/memory.dsl";
import "vfio_version.dsl";

callback vfio_save_setup for save_setup requires VFIO_VERSION == VFIO_MAPS implies holds(BQL) @ "hw/vfio/migration.c:vfio_save_setup" {
    if (VFIO_VERSION == VFIO_MAPS_OWN_PAIR) {
        qemu_mutex_lock_iothread();
    }
    if (VFIO_VERSION != VFIO_MAPS_NOTHING) {
        memory_region_transaction_commit() @ "hw/vfio/common.c:vfio_region_mmap";
    }
    if (VFIO_VERSION == VFIO_MAPS_OWN_PAIR) {
        qemu_mutex_unlock_iothread();
    }
    skip @ "hw/vfio/migration.c:vfio_migration_set_state";
}
