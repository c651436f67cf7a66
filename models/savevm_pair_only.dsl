// Tried on the list (2 May 2023): only the pair in qemu_savevm_state() is deleted. ram_init_bitmaps() takes the BQL that its caller
// holds, on any thread: `g_assert(!qemu_mutex_iothread_locked())`.

protocol savevm_pair_only "snapshot-save, only the pair in savevm.c deleted";

const BEYOND = NOTHING;

import "patch/savevm_only.dsl";
import "savevm_qmp.dsl";

expect violated relock;
