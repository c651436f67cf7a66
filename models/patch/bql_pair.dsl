// How a setup callback comes by the BQL.

enum bql_pair {
    CALLER_HOLDS,                                // no pair: since 930e239d11
    TAKE_ALWAYS,                                 // a pair of its own: before
    TAKE_UNLESS_HELD                             // as prepare_mmio_access() does: the patch as first posted
}
