// As block.dsl, but that block_save_setup() still takes the BQL for itself.

protocol block_own_pair "save_setup of block migration, taking the BQL that its caller holds";

const TCG = false;
const ANY_ORDER = false;

import "../patch/own_pairs.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/block.dsl";

expect violated relock;
