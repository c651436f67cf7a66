// Transfers between two accounts, each under a lock of its own: what the models abba*.dsl share.
//
// Source: E. G. Coffman, M. J. Elphick and A. Shoshani, "System deadlocks", ACM Computing Surveys 3(2), 1971, which names the four
// conditions that a deadlock needs.
//
// A transfer takes both locks, takes one from an account and puts it on the other. Two threads transfer in opposite directions, once each.
// Meanwhile something is put on one account and something is taken from the other, each under that account's lock alone: without these
// two, one of the locks would do for both accounts. The importer gives take(), which takes the two locks of a transfer.
//
// What is abstracted:
// - A balance is read and written in two steps, by whoever. What others do to it in between is lost.

const BALANCE = 2;

mutex A;
mutex B;
0..2 * BALANCE on_a = BALANCE;
0..2 * BALANCE on_b = BALANCE;

proc add_one(ref 0..2 * BALANCE account) {
    0..2 * BALANCE balance = account;
    account = balance + 1;
}

proc take_one(ref 0..2 * BALANCE account) {
    0..2 * BALANCE balance = account;
    account = balance - 1;
}

proc transfer(ref mutex source, ref mutex target, ref 0..2 * BALANCE on_source, ref 0..2 * BALANCE on_target) {
    take(source, target);
    take_one(on_source);
    add_one(on_target);
    unlock target;
    unlock source;
}

thread forth {
    transfer(A, B, on_a, on_b);
}

thread back {
    transfer(B, A, on_b, on_a);
}

thread withdrawal {
    with A {
        take_one(on_a);
    }
}

thread deposit {
    with B {
        add_one(on_b);
    }
}

deadlock free;

invariant nothing_lost: (forall t in thread: finished(t)) implies on_a == BALANCE - 1 && on_b == BALANCE + 1;
liveness all_done: eventually forall t in thread: finished(t);
