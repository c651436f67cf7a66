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
