// It takes no lock and needs none, before and after; so there is no twin of it with a pair of its own.
//
// Beside: block.dsl, ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl

protocol htab "save_setup of the hash table of pseries, alone";

const TCG = false;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/htab.dsl";

expect proved;
