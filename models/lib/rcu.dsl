// RCU: readers never wait; whoever wants to free something waits until nobody reads.
//
// A grace period is over once those that were reading when it began have ended. Here it is over when nobody reads at all, which waits for
// longer: a protocol that gets stuck here may not get stuck in QEMU, but one that does not is free of deadlock in both. Nothing here is
// said of what runs after a grace period, which may begin earlier in QEMU.
// A read section inside of another is left out of the models: it changes nothing.

rwlock rcu;

proc rcu_read_lock() @ "include/qemu/rcu.h:rcu_read_lock" {
    rdlock rcu;
}

proc rcu_read_unlock() @ "include/qemu/rcu.h:rcu_read_unlock" {
    rdunlock rcu;
}

proc synchronize_rcu() @ "util/rcu.c:synchronize_rcu" {
    atomic {                                     // a moment without readers, not a lock: nobody waits to read
        wrlock rcu;
        wrunlock rcu;
    }
}
