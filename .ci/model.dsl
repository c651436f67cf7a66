// Proved outside of the checkout, by the installed wheel: it imports a shipped part.
protocol outside "two threads and the BQL";

import "lib/qemu.dsl";

bool written = false;

thread main_loop {
    qemu_mutex_lock_iothread();
    written = true;
    qemu_mutex_unlock_iothread();
}

thread worker {
    qemu_mutex_lock_iothread();
    await written || !written;
    qemu_mutex_unlock_iothread();
}

deadlock free;
expect proved;
