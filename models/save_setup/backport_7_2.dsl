// The patch applied to 7.2 as it stands: vfio_save_setup() takes the BQL there, with a region to map, and is now called with it held.

protocol backport_7_2 "930e239d11 on 7.2, as it is";

const TCG = false;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS_OWN_PAIR;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/ram.dsl";
import "../callbacks/dirty_bitmap.dsl";
import "../callbacks/block.dsl";
import "../callbacks/vfio.dsl";
import "../callbacks/cmma.dsl";
import "../callbacks/htab.dsl";

expect violated relock;
