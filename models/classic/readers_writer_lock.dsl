// A readers-writer lock made of a mutex and a condition variable: what readers_writer.dsl and readers_writer_broken.dsl share.
//
// Writers come first: a reader that comes while one waits has to wait too, as in the second problem of Courtois, Heymans and Parnas.
// So readers may starve, writers together do not. The importer says whether upgrade() keeps the lock for reading while it waits for the
// other readers to leave (UPGRADE_KEEPS_READ).

import "readers_writer_body.dsl";

mutex state_mutex;                               // protects the three
0..READERS readers;
0..READERS + WRITERS writers_waiting;
bool writer_active;
cond state_changed;

proc read_lock() {
    with state_mutex {
        while (writer_active || writers_waiting > 0) {
            wait state_changed with state_mutex;
        }
        readers = readers + 1;
    }
}

proc read_unlock() {
    with state_mutex {
        readers = readers - 1;
        if (readers <= 1) {                      // who is left may wait to be a writer
            broadcast state_changed;
        }
    }
}

proc write_lock() {
    with state_mutex {
        writers_waiting = writers_waiting + 1;
        while (writer_active || readers > 0) {
            wait state_changed with state_mutex;
        }
        writers_waiting = writers_waiting - 1;
        writer_active = true;
    }
}

proc write_unlock() {
    with state_mutex {
        writer_active = false;
        broadcast state_changed;
    }
}

proc upgrade() {
    if (UPGRADE_KEEPS_READ) {
        with state_mutex {
            while (readers > 1) {                // this one is left
                wait state_changed with state_mutex;
            }
            readers = readers - 1;
            writer_active = true;
        }
    } else {
        read_unlock();
        write_lock();                            // what was read may have changed meanwhile
    }
}

liveness writers_first: writers_waiting > 0 leads to writer_active;
