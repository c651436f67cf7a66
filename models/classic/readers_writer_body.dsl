// Readers and writers of two words that belong together: what the models readers_writer*.dsl share.
//
// Source: P. J. Courtois, F. Heymans and D. L. Parnas, "Concurrent control with `readers' and `writers'", Communications of the ACM
// 14(10), 1971.
//
// Readers read both words and may do so side by side. Writers change one word after the other, and nobody may be beside them. A reader
// that finds something to change becomes a writer in the middle of it. The importer gives the lock: read_lock(), read_unlock(),
// write_lock(), write_unlock() and upgrade(), which a reader calls to become a writer.
//
// What is abstracted:
// - The two words take one bit: a writer turns both. That they differ is all that a reader could see of a writer.
// - Nobody ever stops.

param READERS in 1..8 = 2;
param WRITERS in 1..8 = 1;

bool word[2];

proc write() {
    writing: word[0] = !word[0];
    between: word[1] = !word[1];
}

thread reader[READERS] {
    loop {
        read_lock();
        bool seen = word[0];
        reading: assert untorn: word[1] == seen "a reader sees no write half done";
        choose {
            read_unlock();
        } or {
            upgrade();
            write();
            write_unlock();
        }
    }
}

thread writer[WRITERS] {
    loop {
        write_lock();
        write();
        write_unlock();
    }
}

deadlock free;

invariant one_writer: (number of t in thread: at(t, write.writing) || at(t, write.between)) <= 1;
invariant no_reader_beside: (exists t in thread: at(t, write.writing) || at(t, write.between)) implies
    (forall r in reader: !at(r, reading));
