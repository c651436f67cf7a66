// It takes no lock and needs none, before and after; so there is no twin of it with a pair of its own.
//
// Beside: block.dsl, ../multifd_sync_locked.dsl, ../multifd_sync_ends.dsl

protocol cmma "save_setup of s390's storage attributes, alone";

const TCG = false;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/cmma.dsl";

expect proved;
