// A readers-writer lock made of a mutex and a condition variable; a reader that wants to write gives the lock back first.
//
// What it has read may have changed when it has the lock again: it has to look again, or not to depend on it.

protocol readers_writer "a readers-writer lock, upgraded by giving it back";

const UPGRADE_KEEPS_READ = false;

import "readers_writer_lock.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: swap word[0] = !word[0]; word[1] = !word[1] in write: a reader sees neither
// Survives: drop write() in *: who has the lock may leave the words as they are
// Survives: duplicate write() in *: both writes are under the lock
// Survives: always: while (writer_active || writers_waiting > 0) in read_lock: readers may starve
// Survives: duplicate wait state_changed with state_mutex in read_lock: readers may starve
// Survives: swap readers = readers - 1; if (readers <= 1) in read_unlock: an upgrade gives the lock back: the last reader tells
// Survives: swap writers_waiting = writers_waiting + 1; while *: `writers_first` speaks of writers that are counted
// Survives: swap writers_waiting = writers_waiting - 1; writer_active = true in write_lock: both are under the mutex
// Survives: duplicate writer_active = * in write_*: it says the same again
// Survives: swap writer_active = false; broadcast state_changed in write_unlock: who is woken needs the mutex first
// Survives: duplicate broadcast state_changed in *: who is woken in vain looks, and sleeps again
