// Peterson's algorithm (1981), as published: first "I want in", then "it is my turn to wait".
//
// Never both are in, whoever wants in comes in, and the other comes in at most once before.

protocol peterson "Peterson's algorithm for two processes";

const WANTS_FIRST = true;

import "peterson_body.dsl";

expect proved;
