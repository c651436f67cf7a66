// The dirty bitmaps' setup alone.

protocol dirty_bitmap "save_setup of dirty bitmaps, alone";

const TCG = false;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/dirty_bitmap.dsl";

expect proved;
