// How a setup callback comes by the BQL, as the version of the patch has it (CALLBACKS_TAKE_BQL, see ../patch).

import "../lib/qemu.dsl";

thread_local bool release_lock = false;          // a local variable of the callback, for the last of the three

proc callback_takes_bql() {
    if (CALLBACKS_TAKE_BQL == TAKE_ALWAYS) {
        qemu_mutex_lock_iothread();
    } else if (CALLBACKS_TAKE_BQL == TAKE_UNLESS_HELD) {
        if (!iothread_locked) {
            release_lock = true;
            qemu_mutex_lock_iothread();
        }
    }
}

proc callback_gives_bql_back() {
    if (CALLBACKS_TAKE_BQL == TAKE_ALWAYS) {
        qemu_mutex_unlock_iothread();
    } else if (CALLBACKS_TAKE_BQL == TAKE_UNLESS_HELD) {
        if (release_lock) {
            release_lock = false;
            qemu_mutex_unlock_iothread();
        }
    }
}
