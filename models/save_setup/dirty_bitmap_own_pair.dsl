// As dirty_bitmap.dsl, but that dirty_bitmap_save_setup() still takes the BQL for itself.

protocol dirty_bitmap_own_pair "save_setup of dirty bitmaps, taking the BQL that its caller holds";

const TCG = false;
const ANY_ORDER = false;

import "../patch/own_pairs.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/dirty_bitmap.dsl";

expect violated relock;
