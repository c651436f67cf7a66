// The dining philosophers: what philosophers_naive.dsl, philosophers_ordered.dsl and philosophers_unfair.dsl share.
//
// Source: E. W. Dijkstra, "Hierarchical ordering of sequential processes", Acta Informatica 1(2), 1971.
//
// Philosophers sit around a table, a fork between each two. Each thinks, becomes hungry, takes the two forks next to it one after the
// other, eats, and puts them back. The importer says whether all take the left fork first, or the last one the right fork (LAST_SWAPS, 1 or
// 0): then everybody takes the fork of the lower number first.
//
// What is abstracted:
// - A philosopher may think for good: what is claimed of the others must not depend on it.
// - `guest` is not one of them. It picks a philosopher once, any: what is then claimed of `watched` holds for every one.

param PHILOSOPHERS in 2..64 = 3;

mutex fork[PHILOSOPHERS];                        // fork[p] is to the left of philosopher p
0..PHILOSOPHERS - 1 watched;

proc dine(ref mutex first, ref mutex second) {
    hungry: lock first;
    lock second;
    eating: skip;
    unlock second;
    unlock first;
}

thread philosopher[p: PHILOSOPHERS] {
    loop {
        choose { } or { return; }                // thinks, perhaps for good
        // p / (PHILOSOPHERS - 1) is 1 for the last one, 0 for all others.
        dine(fork[(p + LAST_SWAPS * (p / (PHILOSOPHERS - 1))) % PHILOSOPHERS],
             fork[(p + 1 - LAST_SWAPS * (p / (PHILOSOPHERS - 1))) % PHILOSOPHERS]);
    }
}

thread guest {
    atomic {
        for p in 0..PHILOSOPHERS - 1 {
            choose { } or { watched = p; }
        }
    }
}

deadlock free;

invariant forks_not_shared: forall p in 0..PHILOSOPHERS - 1:
    !(at(philosopher[p], dine.eating) && at(philosopher[(p + 1) % PHILOSOPHERS], dine.eating));
liveness eats: finished(guest) && at(philosopher[watched], dine.hungry) leads to at(philosopher[watched], dine.eating);
