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
