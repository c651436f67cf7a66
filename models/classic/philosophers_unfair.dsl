// The dining philosophers, each taking the fork of the lower number first, with locks that are not fair.
//
// Nothing deadlocks, but a hungry philosopher can starve: whenever the fork is free, the neighbour is quicker to take it again. A lock
// that serves its waiters in order, or strong fairness, is what philosophers_ordered.dsl adds.

protocol philosophers_unfair "the dining philosophers, taking the forks in order, with unfair locks";

const LAST_SWAPS = 1;

import "philosophers.dsl";

expect violated liveness.eats;
