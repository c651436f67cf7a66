// A bounded buffer, one condition variable for all, signal: the wake-up goes to the wrong thread.
//
// A producer that fills the buffer signals a consumer, but a signal wakes any sleeper: perhaps a producer, which finds the buffer full and
// sleeps again. Nobody passes the wake-up on, and in the end all sleep.
//
// It needs threads of both kinds asleep at once. Proved and violated for up to three slots and up to four producers and consumers each,
// as far as they fit in a minute: it deadlocks where there are more than two threads a slot, and not where there are fewer. So a test
// with a large buffer does not find it.

protocol bounded_buffer_signal "a bounded buffer, one condition variable, signal";

const NOT_FULL = 0;
const NOT_EMPTY = 0;
const WAKE_ALL = false;
const LOOK_AGAIN = true;

import "bounded_buffer.dsl";

expect violated deadlock.global;
expect violated liveness.flow;
