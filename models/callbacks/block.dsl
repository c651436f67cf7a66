// Block migration: with the capability block. A snapshot refuses to start with it.
//
// Inserting a BlockBackend drains the disk, which polls main_context in whichever thread this is. The BQL makes that legal, in the
// migration thread too.

import "bql.dsl";
import "../lib/disk.dsl";

mutex blk_mig_lock;                              // block_mig_state.lock

callback block_save_setup for save_setup requires CALLBACKS_TAKE_BQL == CALLER_HOLDS implies holds(BQL)
    @ "migration/block.c:block_save_setup" {
    callback_takes_bql();
    init_blk_migration();
    callback_gives_bql_back();
    with blk_mig_lock @ "migration/block.c:flush_blks" {
        assert block_list: holds(blk_mig_lock) "the list of blocks that were read; it is empty yet";
    }
}

proc init_blk_migration() @ "migration/block.c:init_blk_migration" {
    assert disk_graph: holds(BQL) "GLOBAL_STATE_CODE() of bdrv_next()" @ "block/block-backend.c:bdrv_next";
    bdrv_drained_begin() @ "block/block-backend.c:blk_insert_bs";
}

// What survives `formal mutate`, and why. Nobody looks afterwards whether the drives were drained, and no lock changes hands in it.
// Survives: drop init_blk_migration() in block_save_setup: it leaves nothing behind
// Survives: drop bdrv_drained_begin() in init_blk_migration: the same
// Survives: duplicate init_blk_migration() in block_save_setup: drains twice
// Survives: duplicate bdrv_drained_begin() in init_blk_migration: the same
