// A bounded buffer, a condition variable for each kind of sleeper, signal: the wake-up goes to a thread that can use it.
//
// Who is woken may still find the buffer as before, if another thread was quicker: it looks again, and sleeps again.

protocol bounded_buffer_conditions "a bounded buffer, two condition variables, signal";

const NOT_FULL = 0;
const NOT_EMPTY = 1;
const WAKE_ALL = false;
const LOOK_AGAIN = true;

import "bounded_buffer.dsl";

expect proved;
