// Peterson's algorithm with its two writes swapped: in the source, or by a compiler or a CPU that nobody told to keep them in order.
//
// One process takes its turn to wait and is not seen to want anything yet. The other takes its turn, wants in, and comes in: nobody
// else does. The first wants in now, finds that the other has come later to wait, and comes in too.

protocol peterson_broken "Peterson's algorithm, its two writes swapped";

const WANTS_FIRST = false;

import "peterson_body.dsl";

expect violated invariant.mutual_exclusion;
