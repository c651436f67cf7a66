// A bounded buffer, one condition variable for all, broadcast, and `if` where `while` should be.
//
// Two consumers sleep and are woken by one item. The second one to get the mutex takes from an empty buffer.

protocol bounded_buffer_if "a bounded buffer, its condition not looked at again";

const NOT_FULL = 0;
const NOT_EMPTY = 0;
const WAKE_ALL = true;
const LOOK_AGAIN = false;

import "bounded_buffer.dsl";

expect violated assert.room;
expect violated assert.item;
