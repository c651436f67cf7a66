// The dining philosophers, each taking the fork of the lower number first.
//
// The forks are taken in one order, so that no cycle of waiting closes. That every hungry philosopher eats needs strong fairness: the
// fork that it waits for is free again and again, but not for long. philosophers_unfair.dsl shows what becomes of it otherwise.

protocol philosophers_ordered "the dining philosophers, taking the forks in order";

const LAST_SWAPS = 1;

import "philosophers.dsl";

strong fair philosopher;

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: swap lock first; lock second in dine: turned round for everybody, it is an order as well
// Survives: swap unlock second; unlock first in dine: which fork is put back first does not matter
// Survives: swap choose; dine(*) in philosopher: it thinks behind a meal instead of before
// Survives: drop dine(*) in philosopher: who is never hungry is owed nothing
// Survives: duplicate dine(*) in philosopher: two meals in a row
// Survives: take apart atomic * in guest: nothing is claimed before the guest has picked
// Survives: drop watched = p in guest: then the first philosopher alone is watched, of whom it holds, too
