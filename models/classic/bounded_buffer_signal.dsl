// A bounded buffer, one condition variable for all, signal: the wake-up goes to the wrong thread.
//
// A producer that fills the buffer signals a consumer, but a signal wakes any sleeper: perhaps a producer, which finds the buffer full and
// sleeps again. Nobody passes the wake-up on, and in the end all sleep.
//
// It takes threads of both kinds asleep at once, hence enough threads for the size of the buffer: with up to two slots and four threads of
// each kind, it deadlocks if and only if there are more than two threads a slot. A test with a large buffer does not find it.

protocol bounded_buffer_signal "a bounded buffer, one condition variable, signal";

const NOT_FULL = 0;
const NOT_EMPTY = 0;
const WAKE_ALL = false;
const LOOK_AGAIN = true;

import "bounded_buffer.dsl";

expect violated deadlock.global;
expect violated liveness.flow;
