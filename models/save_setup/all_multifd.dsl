// All six callbacks in the order in which they stand here, with multifd on.

protocol all_multifd "all six save_setup callbacks, with multifd";

const TCG = false;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS_NOTHING;
const SYNC_WAITS_CHANNELS_READY = true;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd.dsl";
import "../callbacks/ram.dsl";
import "../callbacks/dirty_bitmap.dsl";
import "../callbacks/block.dsl";
import "../callbacks/vfio.dsl";
import "../callbacks/cmma.dsl";
import "../callbacks/htab.dsl";

expect proved;
