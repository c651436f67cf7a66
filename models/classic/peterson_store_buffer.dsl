// Peterson's algorithm on a CPU with store buffers: what peterson_unfenced.dsl and peterson_fenced.dsl share.
//
// Sources: G. L. Peterson, "Myths about the mutual exclusion problem", Information Processing Letters 12(3), 1981; P. Sewell, S. Sarkar,
// S. Owens, F. Zappa Nardelli and M. O. Myreen, "x86-TSO: a rigorous and usable programmer's model for x86 multiprocessors",
// Communications of the ACM 53(7), 2010.
//
// The algorithm is that of peterson.dsl, and the compiler keeps its order. But a write goes to the CPU's store buffer first, and from there
// to memory some time later, in the order of the writes. A read sees the reader's own buffer, else memory. The importer says whether a
// process waits for its buffer to be empty before it reads (FENCE), as the instruction mfence does.
//
// What is abstracted:
// - A process writes the same three things round and round. So the buffer is how many of them are still to reach memory, and
//   `store_buffer`, which carries them there, knows which is next.
// - A buffer holds three writes. The fenced algorithm never leaves more there, so that a longer one would change nothing for it.
// - A process may stay out of the critical section for good: what is claimed of the other must not depend on it.

enum store { WANTS, TURN, LEAVES }

const BUFFER = 3;

bool wants[2];                                   // memory
0..1 turn;
0..BUFFER buffered[2];

proc write(ref 0..BUFFER stores) {
    atomic {
        await stores < BUFFER;
        stores = stores + 1;
    }
}

thread process[i: 2] {
    loop {
        choose { } or { return; }                // elsewhere, perhaps for good
        write(buffered[i]);                      // wants[i] = true
        write(buffered[i]);                      // turn = i
        if (FENCE) {
            await buffered[i] == 0;
        }
        loop {
            waiting: if (!wants[1 - i]) {
                break;
            }
            if (buffered[i] == 0 && turn != i) { // the last write that is still there is turn = i
                break;
            }
        }
        critical: skip;
        write(buffered[i]);                      // wants[i] = false
    }
}

thread store_buffer[i: 2] {
    store oldest = WANTS;
    loop {
        idle: atomic {
            await buffered[i] > 0;
            buffered[i] = buffered[i] - 1;
            if (oldest == WANTS) {
                wants[i] = true;
                oldest = TURN;
            } else if (oldest == TURN) {
                turn = i;
                oldest = LEAVES;
            } else {
                wants[i] = false;
                oldest = WANTS;
            }
        }
    }
}

deadlock free;

invariant mutual_exclusion: !(at(process[0], critical) && at(process[1], critical));
liveness enters_0: at(process[0], waiting) leads to at(process[0], critical);
liveness enters_1: at(process[1], waiting) leads to at(process[1], critical);
