// Peterson's algorithm on a CPU with store buffers: a fence stands between a process's writes and its first read.

protocol peterson_fenced "Peterson's algorithm with store buffers and a fence";

const FENCE = true;

import "peterson_store_buffer.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: take apart atomic { await stores < BUFFER; stores = stores + 1; } in write: only its owner stores into it: there is room still
// Survives: duplicate await buffered[i] == 0 in process: nothing is stored between two fences
