// Dirty logging since 930e239d11: the caller holds the BQL during the whole of the setup, and ram_init_bitmaps() takes it no more.

protocol dirty_log_start_caller_locked "dirty logging, the caller holds the BQL (930e239d11)";

const RAM_INIT_TAKES_BQL = false;
const CALLER_HOLDS_BQL = true;
const RUN_ON_CPU = false;

import "dirty_log_start.dsl";

expect proved;
