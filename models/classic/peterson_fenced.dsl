// Peterson's algorithm on a CPU with store buffers: a fence stands between a process's writes and its first read.

protocol peterson_fenced "Peterson's algorithm with store buffers and a fence";

const FENCE = true;

import "peterson_store_buffer.dsl";

expect proved;
