// All six callbacks as they were, called without the BQL.
//
// Beside: ram_own_pair.dsl, block_own_pair.dsl, ../savevm_context_lock_tcg.dsl, ../hmp_savevm_ends_tcg.dsl, ../multifd_sync_ends.dsl

protocol all_before "all six save_setup callbacks (before 930e239d11)";

const TCG = true;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS_NOTHING;

import "../patch/none.dsl";
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
// Survives: drop requires.*_save_setup in *: before the patch no callback asks its caller for the BQL
// Survives: swap qemu_savevm_state_setup(); skip in migration_thread: nothing stands between them, and the skip takes no lock
