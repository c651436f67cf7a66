// A readers-writer lock made of a mutex and a condition variable; a reader that wants to write waits until the other readers are gone.
//
// Two readers do so at the same time, and each waits for the other to leave. One reader may do it: -D READERS=1 is proved.

protocol readers_writer_broken "a readers-writer lock, upgraded while it is held";

const UPGRADE_KEEPS_READ = true;

import "readers_writer_lock.dsl";

expect violated deadlock.global;
expect violated liveness.writers_first;
