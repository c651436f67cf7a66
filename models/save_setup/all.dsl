// All six callbacks in the order in which they stand here, under TCG.
//
// Beside: ram_own_pair.dsl, block_own_pair.dsl, ../savevm_context_lock_tcg.dsl, ../hmp_savevm_ends_tcg.dsl, ../multifd_sync_ends.dsl

protocol all "all six save_setup callbacks";

const TCG = true;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS_NOTHING;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/ram.dsl";
import "../callbacks/dirty_bitmap.dsl";
import "../callbacks/block.dsl";
import "../callbacks/vfio.dsl";
import "../callbacks/cmma.dsl";
import "../callbacks/htab.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: drop requires.vfio_save_setup in vfio_save_setup: since 8.0 it takes no lock, and asks for none
