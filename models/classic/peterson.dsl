// Peterson's algorithm (1981), as published: first "I want in", then "it is my turn to wait".
//
// Never both are in, whoever wants in comes in, and the other comes in at most once before.

protocol peterson "Peterson's algorithm for two processes";

const WANTS_FIRST = true;

import "peterson_body.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: duplicate wants[i] = * in process: it says the same again
// Survives: take apart atomic { turn = i; overtaken[i] = 0; } in process: the count begins one step later
// Survives: take apart atomic { …} in process: between the test and the count the other cannot come in
// Survives: swap atomic { …}; skip in process: it counts as it leaves, and the other cannot come in before
// Survives: without `at(process[1 - i], other)`: *: it counts less often, and is asked only not to count too much
// Survives: without `at(process[1 - i], mine)`: *: it counts less often, and is asked only not to count too much
// Survives: never: if (at(process[1 - i], other) *: without a count nobody is overtaken
// Survives: drop overtaken[1 - i] = overtaken[1 - i] + 1 in process: without a count nobody is overtaken
