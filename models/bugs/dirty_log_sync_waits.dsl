// Dirty logging since 930e239d11, with TCG: what is left to fix. It was there before, too.
//
// The first synchronisation of the bitmap waits for work on a vCPU, and the BQL is given back meanwhile, but not the RAM list's lock. If
// the main loop takes the BQL there to create a memory backend, it waits for the RAM list, and the migration waits for the BQL.
// That the BQL is given back with the RAM list's lock held is seen on QEMU 7.2.22; the hang is found here, by the model, and not seen yet.

protocol dirty_log_sync_waits "dirty logging, the caller holds the BQL, with TCG: what is left to fix";

const RAM_INIT_TAKES_BQL = false;
const CALLER_HOLDS_BQL = true;
const RUN_ON_CPU = true;

import "dirty_log_start.dsl";

expect violated deadlock.lock_order;
expect violated deadlock.global;
