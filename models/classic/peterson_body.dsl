// Peterson's algorithm: what peterson.dsl and peterson_broken.dsl share.
//
// Source: G. L. Peterson, "Myths about the mutual exclusion problem", Information Processing Letters 12(3), 1981.
//
// Two processes share a critical section with nothing but variables that they read and write. Each says that it wants in, then that it is
// its own turn to wait, and waits until the other does not want in or has come later to say so. The importer says which it does first
// (WANTS_FIRST).
//
// What is abstracted:
// - A step is one read or one write of one shared variable: the wait reads the two one after the other, as the paper allows.
// - Steps come in one order that all agree on. A compiler or a CPU that reorders two writes is a program with the two swapped.
// - A process may stay out of the critical section for good: what is claimed of the other must not depend on it.
// - `overtaken` is not part of the algorithm. It counts how often the other came in since this process said that it waits.

bool wants[2];
0..1 turn;                                       // whose turn it is to wait
0..2 overtaken[2];

thread process[i: 2] {
    loop {
        choose { } or { return; }                // elsewhere, perhaps for good
        if (WANTS_FIRST) {
            wants[i] = true;
            atomic {
                turn = i;
                overtaken[i] = 0;
            }
        } else {
            turn = i;
            atomic {
                wants[i] = true;
                overtaken[i] = 0;
            }
        }
        loop {
            other: if (!wants[1 - i]) {
                break;
            }
            mine: if (turn != i) {
                break;
            }
        }
        atomic {
            if (at(process[1 - i], other) || at(process[1 - i], mine)) {
                overtaken[1 - i] = overtaken[1 - i] + 1;
            }
        }
        critical: skip;
        wants[i] = false;
    }
}

deadlock free;

invariant mutual_exclusion: !(at(process[0], critical) && at(process[1], critical));
invariant bounded_waiting: overtaken[0] <= 1 && overtaken[1] <= 1;
// Weak fairness of the two processes is enough: a process that waits can always move.
liveness enters_0: at(process[0], other) leads to at(process[0], critical);
liveness enters_1: at(process[1], other) leads to at(process[1], critical);
