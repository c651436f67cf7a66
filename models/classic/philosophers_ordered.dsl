// The dining philosophers, each taking the fork of the lower number first.
//
// The forks are taken in one order, so that no cycle of waiting closes. That every hungry philosopher eats needs strong fairness: the
// fork that it waits for is free again and again, but not for long. philosophers_unfair.dsl shows what becomes of it otherwise.

protocol philosophers_ordered "the dining philosophers, taking the forks in order";

const LAST_SWAPS = 1;

import "philosophers.dsl";

strong fair philosopher;

expect proved;
