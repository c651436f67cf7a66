// The RAM section's setup alone, under TCG: the bitmap sync sleeps in run_on_cpu() with ramlist and RCU held.

protocol ram "save_setup of the RAM, alone";

const TCG = true;
const ANY_ORDER = false;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/ram.dsl";

expect proved;
