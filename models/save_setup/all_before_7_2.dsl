// All six callbacks as they are in 7.2, called without the BQL; vfio_save_setup() takes it for itself too.

protocol all_before_7_2 "all six save_setup callbacks of 7.2 (before 930e239d11)";

const TCG = true;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS_OWN_PAIR;

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
