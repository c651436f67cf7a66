// Dirty logging before 4987783400: ram_init_bitmaps() has the RAM list's lock, and not the BQL.
//
// The transaction of memory_global_dirty_log_start() may meet one of the main loop or of a vCPU: a change of the counter may be lost, or a
// change of the map rendered in the middle.

protocol dirty_log_start_unlocked "dirty logging, started without the BQL (before 4987783400)";

const RAM_INIT_TAKES_BQL = false;
const CALLER_HOLDS_BQL = false;
const RUN_ON_CPU = false;

import "dirty_log_start.dsl";

expect violated requires.memory_global_dirty_log_start;
