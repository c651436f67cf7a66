// The VFIO devices' setup alone, without a pair of its own: 7.2 with that pair dropped. Since 8.0 there is nothing to map, and no lock.
//
// Beside: vfio_own_pair.dsl, block.dsl, ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl

protocol vfio "save_setup of VFIO devices, alone";

const TCG = false;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/vfio.dsl";

expect proved;
