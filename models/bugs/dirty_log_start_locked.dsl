// Dirty logging since 4987783400: ram_init_bitmaps() takes the BQL for itself, before the RAM list's lock, as the main loop does.

protocol dirty_log_start_locked "dirty logging, ram_init_bitmaps() takes the BQL (4987783400)";

const RAM_INIT_TAKES_BQL = true;
const CALLER_HOLDS_BQL = false;
const RUN_ON_CPU = false;

import "dirty_log_start.dsl";

expect proved;
