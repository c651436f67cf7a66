// A readers-writer lock made of a mutex and a condition variable; a reader that wants to write gives the lock back first.
//
// What it has read may have changed when it has the lock again: it has to look again, or not to depend on it.

protocol readers_writer "a readers-writer lock, upgraded by giving it back";

const UPGRADE_KEEPS_READ = false;

import "readers_writer_lock.dsl";

expect proved;
