// The dining philosophers, each taking the left fork first.
//
// All take the left fork, and each waits for the right one, which the next has.

protocol philosophers_naive "the dining philosophers, all taking the left fork first";

const LAST_SWAPS = 0;

import "philosophers.dsl";

strong fair philosopher;

expect violated deadlock.global;
expect violated deadlock.partial;                // the same, where the guest has not picked yet
expect violated deadlock.lock_order;
expect violated liveness.eats;
