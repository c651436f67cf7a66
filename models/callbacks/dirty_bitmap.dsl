// Dirty bitmaps: with the capability dirty-bitmaps, and bitmaps to send. It walks the block graph, which needs the BQL.

import "bql.dsl";

mutex dirty_bitmap_mutex;                        // BlockDriverState::dirty_bitmap_mutex

callback dirty_bitmap_save_setup for save_setup requires CALLBACKS_TAKE_BQL == CALLER_HOLDS implies holds(BQL)
    @ "migration/block-dirty-bitmap.c:dirty_bitmap_save_setup" {
    callback_takes_bql();
    init_dirty_bitmap_migration();
    skip @ "migration/block-dirty-bitmap.c:send_bitmap_start";
    callback_gives_bql_back();
}

proc init_dirty_bitmap_migration() @ "migration/block-dirty-bitmap.c:init_dirty_bitmap_migration" {
    assert bitmap_graph: holds(BQL) "GLOBAL_STATE_CODE() of bdrv_next() and blk_next()" @ "block/block-backend.c:bdrv_next";
    with dirty_bitmap_mutex @ "block/dirty-bitmap.c:bdrv_dirty_bitmap_set_busy" {
        assert bitmap_busy: holds(dirty_bitmap_mutex) "BdrvDirtyBitmap::busy changes under it";
    }
}
