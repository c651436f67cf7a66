// All six callbacks in the order in which they stand here, under TCG.

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
