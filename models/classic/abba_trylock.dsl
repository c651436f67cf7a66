// Two locks, taken in opposite orders, but nobody waits for the second: who does not get it gives the first one back and begins again.
//
// Nothing deadlocks, and nothing is lost. But the two transfers may go on for ever, each finding the other's lock taken: a livelock. The
// scheduler can be as fair as it likes (hence `strong fair`), for both move all the time. abba_ordered.dsl has no such run.
// The locks are still taken in a circle, as the tool warns. It closes in no reachable state: a lock that is only tried makes nobody wait.

protocol abba_trylock "transfers that take one lock and try the other";

import "abba_body.dsl";

proc trylock(ref mutex wanted) returns bool {
    atomic {
        if (owner(wanted) == none) {
            lock wanted;
            return true;
        }
    }
    return false;
}

proc take(ref mutex source, ref mutex target) {
    bool taken = false;
    while (!taken) {
        lock source;
        taken = trylock(target);
        if (!taken) {
            unlock source;
        }
    }
}

strong fair forth;
strong fair back;

expect violated liveness.all_done;
