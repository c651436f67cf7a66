// COLO's failover on the secondary side: what colo_failover_joins_locked.dsl and colo_failover_joins_unlocked.dsl share.
//
// The COLO incoming thread takes checkpoints from the primary, each in several sections under the BQL. A failover is a bottom half of the
// main loop: it shuts the connection down, so that the thread comes to its end, and enters process_incoming_migration_co(), which joins
// the thread and frees what it used. The primary may be alive and well: then the thread may be in the middle of a checkpoint.
//
// The importer says whether the BQL is given away for the join (DROP_BQL_AROUND_JOIN).
//
// What is abstracted, beyond lib/qemu.dsl:
// - One failover. The primary sends checkpoints for ever, or none, or goes away.
// - Stopping and starting the guest is left out: the vCPUs take the BQL and give it back. What a checkpoint loads is left out but for the
//   RAM cache, which the join protects.

import "lib/qemu.dsl";

param VCPUS in 1..64 = 1;

sem colo_incoming_sem max 1 = 0;
bool from_src_file_shut = false;
bool vmstate_loading = false;
bool ram_cache = true;                           // still there

thread mon_iothread {
    schedule do_qmp_dispatch_bh @ "monitor/qmp.c:handle_qmp_command";        // x-colo-lost-heartbeat
}

bh do_qmp_dispatch_bh on iohandler_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" {
    schedule colo_failover_bh @ "migration/colo-failover.c:failover_request_active";
}

bh colo_failover_bh on main_context @ "migration/colo-failover.c:colo_failover_bh" {
    secondary_vm_do_failover();
}

proc secondary_vm_do_failover() @ "migration/colo.c:secondary_vm_do_failover" {
    // QEMU has a way out for a failover that comes while the state is loaded. This says that the BQL rules it out.
    assert not_loading: !vmstate_loading "no failover while the secondary loads its state";
    from_src_file_shut = true @ "migration/qemu-file.c:qemu_file_shutdown";
    post colo_incoming_sem;
    process_incoming_migration_co();
}

// From where it yielded after it had created the thread.
proc process_incoming_migration_co() @ "migration/migration.c:process_incoming_migration_co" {
    if (DROP_BQL_AROUND_JOIN) {
        qemu_mutex_unlock_iothread();
    }
    join colo_incoming_thread;
    if (DROP_BQL_AROUND_JOIN) {
        qemu_mutex_lock_iothread();
    }
    colo_release_ram_cache();
}

proc colo_release_ram_cache() requires holds(BQL) @ "migration/ram.c:colo_release_ram_cache" {
    ram_cache = false;
}

thread colo_incoming_thread @ "migration/colo.c:colo_process_incoming_thread" {
    while (!from_src_file_shut) {
        choose {
            colo_incoming_process_checkpoint();
        } or {
            silent: await from_src_file_shut;   // no message comes
        } or {
            break;                               // the primary is gone
        }
    }
    idle: wait colo_incoming_sem;                // until the failover, if there is one
}

proc colo_incoming_process_checkpoint() @ "migration/colo.c:colo_incoming_process_checkpoint" {
    qemu_mutex_lock_iothread();
    vm_stop_force_state();
    qemu_mutex_unlock_iothread();
    if (from_src_file_shut) {                    // colo_receive_check_message() fails
        return;
    }
    qemu_mutex_lock_iothread();
    qemu_loadvm_state_main();
    qemu_mutex_unlock_iothread();
    if (from_src_file_shut) {
        return;
    }
    qemu_mutex_lock_iothread();
    vmstate_loading = true;
    colo_flush_ram_cache();
    vmstate_loading = false;
    qemu_mutex_unlock_iothread();
}

proc vm_stop_force_state() requires holds(BQL) @ "softmmu/cpus.c:vm_stop_force_state" { }
proc qemu_loadvm_state_main() requires holds(BQL) @ "migration/savevm.c:qemu_loadvm_state_main" { }

proc colo_flush_ram_cache() requires holds(BQL) && vmstate_loading @ "migration/ram.c:colo_flush_ram_cache" {
    assert cache_is_there: ram_cache "the RAM cache is freed after the thread's end";
}

thread main_loop @ "softmmu/runstate.c:qemu_main_loop" {
    qemu_mutex_lock_iothread();
    loop {
        os_host_main_loop_wait();
        poll main_context;
        poll iohandler_context;
    }
}

thread vcpu[VCPUS] @ "accel/kvm/kvm-accel-ops.c:kvm_vcpu_thread_fn" {
    loop {
        skip;                                    // guest code, without the BQL
        qemu_mutex_lock_iothread();              // an MMIO exit
        qemu_mutex_unlock_iothread();
    }
}

deadlock free;

liveness fails_over: from_src_file_shut leads to !ram_cache;
strong fair main_loop;                           // the BQL is not fair, but nobody is kept from it for ever
strong fair colo_incoming_thread;

invariant loads_under_bql: vmstate_loading implies holds(colo_incoming_thread, BQL);
// The thread waits for the failover before it ends, wherever its checkpoint was broken off.
invariant ends_with_failover: finished(colo_incoming_thread) implies from_src_file_shut;
// Nobody sleeps with the BQL's flag set here: it is set exactly for the owner.
invariant flag_with_bql: forall t in thread: holds(t, BQL) == t.iothread_locked;
