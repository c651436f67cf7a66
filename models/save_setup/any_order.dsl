// All six callbacks, under TCG, in any order: it depends on the machine and on its devices.

protocol any_order "all six save_setup callbacks, in any order";

const TCG = true;
const ANY_ORDER = true;
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
