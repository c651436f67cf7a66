// Two locks, taken in opposite orders: each transfer takes the lock of its source first.
//
// Each thread takes one lock and waits for the other, which the other thread has.

protocol abba "transfers that take two locks in opposite orders";

import "abba_body.dsl";

proc take(ref mutex source, ref mutex target) {
    lock source;
    lock target;
}

expect violated deadlock.global;
expect violated deadlock.lock_order;
expect violated liveness.all_done;
