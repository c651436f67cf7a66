// Peterson's algorithm on a CPU with store buffers, with nothing done about them.
//
// Both processes say that they want in, and both still find in memory that the other does not: they come in together. No reordering by
// the compiler is needed; x86 does this.

protocol peterson_unfenced "Peterson's algorithm with store buffers, without a fence";

const FENCE = false;

import "peterson_store_buffer.dsl";

expect violated invariant.mutual_exclusion;
