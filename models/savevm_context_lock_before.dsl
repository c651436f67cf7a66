// snapshot-save before 930e239d11, with the lock of main_context (gone in 9.0): save_snapshot() holds it while ram_init_bitmaps() takes the
// BQL, which the main loop and the vCPUs take first. The window is wider than the one that the patch leaves (savevm_context_lock.dsl).

protocol savevm_context_lock_before "snapshot-save, the BQL dropped during setup, with the AioContext's lock";

const BEYOND = CONTEXT_LOCK;

import "patch/none.dsl";
import "savevm_qmp.dsl";

expect violated deadlock.partial;
expect violated deadlock.lock_order;
expect violated deadlock.global;
expect violated wrong_context;                   // as in savevm_unlocked.dsl, where this does not hang before
expect violated invariant.main_loop_under_bql;
