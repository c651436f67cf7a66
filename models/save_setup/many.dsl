// Many drives to migrate: qemu_savevm_state_setup() goes over its list. Each drive's setup inserts a BlockBackend, which drains the disk
// and polls main_context in the migration thread, and then takes a lock of the drive's own.
//
// It is here so that the number of callbacks (CALLBACKS) can grow: they run one after the other, in the order of the list.
//
// Beside: block_own_pair.dsl, ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl

protocol many "the setup of many drives, one after the other";

const TCG = false;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/bql.dsl";

param CALLBACKS in 1..32 = 4;

mutex drive_lock[CALLBACKS];                     // BlkMigDevState's own

callback drive_save_setup for save_setup requires CALLBACKS_TAKE_BQL == CALLER_HOLDS implies holds(BQL)
    @ "migration/block.c:init_blk_migration" {
    for d in 0..CALLBACKS - 1 {
        callback_takes_bql();
        assert drive_graph: holds(BQL) "GLOBAL_STATE_CODE() of blk_insert_bs()" @ "block/block-backend.c:blk_insert_bs";
        bdrv_drained_begin();
        callback_gives_bql_back();
        with drive_lock[d] {
            assert drive_list: holds(drive_lock[d]) "the drive's own list, of what was read";
        }
    }
}

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop bdrv_drained_begin() in drive_save_setup: nobody looks whether the drives were drained, and the BQL is held anyway
// Survives: duplicate bdrv_drained_begin() in drive_save_setup: drains twice
