// As ram.dsl, but that ram_init_bitmaps() still takes the BQL for itself.

protocol ram_own_pair "save_setup of the RAM, taking the BQL that its caller holds";

const TCG = true;
const ANY_ORDER = false;

import "../patch/own_pairs.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/ram.dsl";

expect violated relock;
