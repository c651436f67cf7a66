// Two locks, taken in one order whatever the direction of the transfer: no circle of waiting can close.
//
// Source of the cure: J. W. Havender, "Avoiding deadlock in multitasking systems", IBM Systems Journal 7(2), 1968.

protocol abba_ordered "transfers that take two locks in one order";

import "abba_body.dsl";

proc take(ref mutex source, ref mutex target) {
    lock A;
    lock B;
}

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: duplicate account = balance + 1 in add_one: it writes the same value again
// Survives: duplicate account = balance - 1 in take_one: it writes the same value again
// Survives: swap take_one(on_source); add_one(on_target) in transfer: both are under both locks
// Survives: swap unlock target; unlock source in transfer: nobody waits for both, so which is given back first does not matter
// Survives: swap lock A; lock B in take: any one order will do
