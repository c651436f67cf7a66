// Block migration's setup alone: the migration thread polls main_context, and completes the guest's requests.
//
// Beside: block_own_pair.dsl, ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl

protocol block "save_setup of block migration, alone";

const TCG = false;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/block.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop init_blk_migration() in block_save_setup: nobody looks whether the drives were drained, and the BQL is held anyway
// Survives: drop bdrv_drained_begin() in init_blk_migration: the same
// Survives: duplicate init_blk_migration() in block_save_setup: drains twice
// Survives: duplicate bdrv_drained_begin() in init_blk_migration: the same
