// A bounded buffer under one mutex: what the models bounded_buffer_*.dsl share.
//
// Source: the buffer is from E. W. Dijkstra, "Cooperating sequential processes", 1965; that a thread which was woken looks at its
// condition again is from B. W. Lampson and D. D. Redell, "Experience with processes and monitors in Mesa", Communications of the ACM
// 23(2), 1980.
//
// Producers put items into a ring, consumers take them out. Whoever cannot go on sleeps on a condition variable, and is woken by whoever
// changes the buffer. The importer says
// - on what (NOT_FULL, NOT_EMPTY: two condition variables, or the same one for both),
// - whether a change wakes one sleeper or all (WAKE_ALL),
// - whether who was woken looks again before it goes on (LOOK_AGAIN).
//
// What is abstracted:
// - Nobody ever stops. An item is its number, modulo SERIALS: more than the buffer can hold, and one more, so that an item that is lost,
//   taken twice or out of order shows at the latest when the next one is taken.
// - Making an item and using it take no lock and wait for nothing: they are no steps.

param SLOTS in 1..8 = 1;
param PRODUCERS in 1..8 = 2;
param CONSUMERS in 1..8 = 2;

const SERIALS = SLOTS + 2;

mutex buffer_mutex;
cond changed[2];

0..SERIALS - 1 slot[SLOTS];
0..SLOTS filled;
0..SLOTS - 1 head;                               // where the next item is taken
0..SERIALS - 1 produced;                         // the number of the next item to put
0..SERIALS - 1 consumed;                         // the number of the next item to take

proc wake(ref cond sleepers) {
    if (WAKE_ALL) {
        broadcast sleepers;
    } else {
        signal sleepers;
    }
}

thread producer[PRODUCERS] {
    loop {
        with buffer_mutex {
            if (LOOK_AGAIN) {
                while (filled == SLOTS) {
                    wait changed[NOT_FULL] with buffer_mutex;
                }
            } else {
                if (filled == SLOTS) {
                    wait changed[NOT_FULL] with buffer_mutex;
                }
            }
            assert room: filled < SLOTS "an item is put where there is room";
            slot[(head + filled) % SLOTS] = produced;
            produced = (produced + 1) % SERIALS;
            filled = filled + 1;
            wake(changed[NOT_EMPTY]);
        }
    }
}

thread consumer[CONSUMERS] {
    loop {
        with buffer_mutex {
            if (LOOK_AGAIN) {
                while (filled == 0) {
                    wait changed[NOT_EMPTY] with buffer_mutex;
                }
            } else {
                if (filled == 0) {
                    wait changed[NOT_EMPTY] with buffer_mutex;
                }
            }
            assert item: filled > 0 "an item is taken where there is one";
            assert in_order: slot[head] == consumed "no item is lost, taken twice or out of order";
            consumed = (consumed + 1) % SERIALS;
            head = (head + 1) % SLOTS;
            filled = filled - 1;
            wake(changed[NOT_FULL]);
        }
    }
}

deadlock free;

liveness flow: consumed == 0 leads to consumed == 1;

invariant all_there: owner(buffer_mutex) == none implies (consumed + filled) % SERIALS == produced;
