// The readers and writers of readers_writer.dsl with the language's own rwlock, given back before an upgrade.
//
// It keeps writers from everybody else and deadlocks nowhere, but is not fair: readers that overlap keep a writer out for ever. To ask for
// the lock again without giving it back would violate `relock`.

protocol readers_writer_builtin "readers and writers of a built-in rwlock";

import "readers_writer_body.dsl";

rwlock words;

proc read_lock() {
    rdlock words;
}

proc read_unlock() {
    rdunlock words;
}

proc write_lock() {
    wrlock words;
}

proc write_unlock() {
    wrunlock words;
}

proc upgrade() {
    read_unlock();
    write_lock();
}

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: swap word[0] = !word[0]; word[1] = !word[1] in write: a reader sees neither
// Survives: drop write() in *: who has the lock may leave the words as they are
// Survives: duplicate write() in *: both writes are under the lock
