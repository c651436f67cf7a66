// All six callbacks as they were, called without the BQL.

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
