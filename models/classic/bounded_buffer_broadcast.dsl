// A bounded buffer, one condition variable for all, broadcast: every sleeper looks at the buffer again after each change.
//
// No wake-up can go to the wrong thread, as all are woken. One thread may starve: whose turn it is, no condition variable says.

protocol bounded_buffer_broadcast "a bounded buffer, one condition variable, broadcast";

const NOT_FULL = 0;
const NOT_EMPTY = 0;
const WAKE_ALL = true;
const LOOK_AGAIN = true;

import "bounded_buffer.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: swap assert room: *: the check is under the lock, and so is the write
// Survives: duplicate slot[(head + filled) % SLOTS] = produced in producer: it puts the same item into the same slot
// Survives: swap produced = (produced + 1) % SERIALS; filled = filled + 1 in producer: both are under the lock
// Survives: swap filled = filled + 1; wake(changed[NOT_EMPTY]) in producer: who is woken needs the lock first
// Survives: swap consumed = (consumed + 1) % SERIALS; head = (head + 1) % SLOTS in consumer: both are under the lock
// Survives: swap head = (head + 1) % SLOTS; filled = filled - 1 in consumer: both are under the lock
// Survives: swap filled = filled - 1; wake(changed[NOT_FULL]) in consumer: who is woken needs the lock first
// Survives: duplicate wake(changed[NOT_*]) in *: who is woken in vain looks, and sleeps again
// Survives: drop head = (head + 1) % SLOTS in consumer: with one slot it is always the same
// Survives: duplicate head = (head + 1) % SLOTS in consumer: with one slot it is always the same
// Survives: duplicate broadcast sleepers in wake: who is woken in vain looks, and sleeps again
