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
