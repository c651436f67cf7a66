// The dirty bitmaps' setup alone.
//
// Beside: dirty_bitmap_own_pair.dsl, block.dsl, ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl

protocol dirty_bitmap "save_setup of dirty bitmaps, alone";

const TCG = false;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/dirty_bitmap.dsl";

expect proved;
