// As backport_7_2.dsl, with the pair in vfio_save_setup() dropped as well.
//
// Beside: block_own_pair.dsl, ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl

protocol backport_7_2_vfio "930e239d11 on 7.2, the pair in vfio_save_setup() dropped too";

const TCG = false;
const ANY_ORDER = false;
const VFIO_VERSION = VFIO_MAPS;

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
// Survives: drop requires.vfio_save_setup in vfio_save_setup: the callbacks before it ask for the same
