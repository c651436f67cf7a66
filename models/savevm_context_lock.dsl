// snapshot-save since 930e239d11, with the lock of main_context (gone in 9.0): what the fix leaves behind when a vCPU runs the job.
//
// save_snapshot() holds that lock while it drops the BQL around multifd_send_sync_main(). Whoever takes the BQL there and then enters a
// coroutine needs that lock, and keeps the BQL: another vCPU with a pflash write of its own, or the main loop with one that was scheduled.

protocol savevm_context_lock "snapshot-save, the BQL held during setup, with the AioContext's lock: what is left to fix";

const BEYOND = CONTEXT_LOCK;

import "patch/merged.dsl";
import "savevm_qmp.dsl";

expect violated deadlock.partial;
expect violated deadlock.lock_order;
expect violated deadlock.global;
