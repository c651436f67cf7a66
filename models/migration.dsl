// A migration, or a background snapshot, to the end of its setup: what migration_*.dsl, bg_migration_*.dsl, multifd_sync_*.dsl and
// save_setup/*.dsl share.
//
// It has a thread of its own, which is in no AioContext and has no BQL to begin with. Before 930e239d11 it kept it so, and the setup
// callbacks took the BQL for what they need it for; since then it takes the BQL for the header, and again for the setup.
//
// The importer says which version of the patch it is (patch/*.dsl), which callbacks there are (callbacks/*.dsl), in which order
// (ANY_ORDER), whether it is a background snapshot, whether the vCPUs are TCG's, whether there is a device whose state is saved within the
// setup (EARLY_SETUP: virtio-mem, since 8.1), and imports multifd.dsl or multifd_off.dsl.
//
// What is abstracted, beyond lib/qemu.dsl:
// - One migration, up to the end of its setup; a background snapshot up to where the guest runs again.
// - The stream goes to a socket: to write to it takes no lock and always returns; it is no step.
// - TCG says only whether run_on_cpu() is looked at.
// - A vCPU's exit takes the BQL and gives it back. That the guest runs on while a migration hangs is what it is here for. Where a
//   background snapshot stops it, it looks at its requests at each exit. One that does not (an access to a device) changes nothing, and is
//   the same to everybody else as that the vCPU takes the BQL later, whenever it likes.

import "lib/memory.dsl";
import "lib/rcu.dsl";
import "lib/runstate.dsl";

param VCPUS in 1..* = 2;

import "callbacks/contract.dsl";

thread migration_thread @ "migration/migration.c:migration_thread" {
    if (BACKGROUND_SNAPSHOT) {
        bg_migration_thread();
    } else {
        if (MIGRATION_HOLDS_BQL && HEADER_UNDER_BQL) {
            qemu_mutex_lock_iothread();
        }
        qemu_savevm_state_header();
        if (MIGRATION_HOLDS_BQL && HEADER_UNDER_BQL) {
            qemu_mutex_unlock_iothread();
        }
        skip @ "migration/savevm.c:qemu_savevm_send_ping";               // and whatever else goes between the two
        if (MIGRATION_HOLDS_BQL) {
            qemu_mutex_lock_iothread();
        }
        qemu_savevm_state_setup();
        if (MIGRATION_HOLDS_BQL) {
            qemu_mutex_unlock_iothread();
        }
        set_up: skip @ "migration/migration.c:qemu_savevm_wait_unplug";
    }
}

// Started in place of migration_thread().
proc bg_migration_thread() @ "migration/migration.c:bg_migration_thread" {
    if (MIGRATION_HOLDS_BQL) {
        qemu_mutex_lock_iothread();
    }
    qemu_savevm_state_header();
    qemu_savevm_state_setup();
    if (MIGRATION_HOLDS_BQL) {
        qemu_mutex_unlock_iothread();
    }
    skip @ "migration/migration.c:qemu_savevm_wait_unplug";
    qemu_mutex_lock_iothread();
    vm_stop() @ "softmmu/cpus.c:vm_stop_force_state";
    saving: skip @ "migration/savevm.c:qemu_savevm_state_complete_precopy_non_iterable";
    schedule bg_migration_vm_start_bh;
    qemu_mutex_unlock_iothread();
}

bh bg_migration_vm_start_bh on main_context @ "migration/migration.c:bg_migration_vm_start_bh" {
    vm_start();
}

proc qemu_savevm_state_header() @ "migration/savevm.c:qemu_savevm_state_header" {
    qemu_fflush();
}

proc qemu_savevm_state_setup() @ "migration/savevm.c:qemu_savevm_state_setup" {
    if (EARLY_SETUP) {
        vmstate_save();
    }
    if (ANY_ORDER) {
        invoke any save_setup;
    } else {
        invoke save_setup;
    }
}

// What a device's state is made of changes under the BQL only.
proc vmstate_save() requires holds(BQL) @ "migration/savevm.c:vmstate_save" {
    skip;
}

proc qemu_fflush() @ "migration/qemu-file.c:qemu_fflush" { }  // to a socket

// The main loop, BQL held.
proc migrate_fd_connect() requires holds(BQL) @ "migration/migration.c:migrate_fd_connect" {
    if (!BACKGROUND_SNAPSHOT) {
        multifd_save_setup();
    }
    spawn migration_thread;
}

thread main_loop @ "softmmu/runstate.c:qemu_main_loop" {
    qemu_mutex_lock_iothread();
    migrate_fd_connect();
    loop {
        os_host_main_loop_wait();
        poll main_context;
        poll default_main_context;
        main_loop_should_exit();
    }
}

thread vcpu[v: VCPUS] @ "softmmu/cpus.c:qemu_wait_io_event" {      // the loop around it, of TCG and KVM alike
    loop {
        skip;                                    // guest code, without the BQL
        qemu_mutex_lock_iothread();
        mmio_exit();
        if (BACKGROUND_SNAPSHOT) {               // is asked to stop
            qemu_wait_io_event(halt_cond[v], work_queued[v]);
        } else if (TCG) {                        // has work queued for it
            choose {
                qemu_wait_io_event(halt_cond[v], work_queued[v]);
            } or {
                skip @ "accel/tcg/cputlb.c:io_writex";   // access to a device
            }
        }
        qemu_mutex_unlock_iothread();
    }
}

deadlock free;

invariant owner_has_flag: forall t in thread: holds(t, BQL) implies t.iothread_locked;
invariant flag_without_bql: forall t in thread: t.iothread_locked && !holds(t, BQL)
    implies at(t, pause_all_vcpus.paused) || at(t, qemu_wait_io_event.idle) || at(t, run_on_cpu.working);

// What survives `formal mutate`, and why. In how many turns the main loop does its work, and in which order, is its own matter.
// Survives: drop spawn migration_thread in migrate_fd_connect: what nobody spawns runs from the start; it waits for what it needs
// Survives: duplicate os_host_main_loop_wait() in main_loop: a turn with nothing in it
// Survives: swap os_host_main_loop_wait(); poll main_context in main_loop: begins with the second half of a turn
// Survives: duplicate poll *main_context in main_loop: two of a turn, as glib
// Survives: swap poll main_context; poll default_main_context in main_loop: the order of sources
// Survives: swap qemu_mutex_unlock_iothread(); skip* in *migration_thread: it stands for what takes no lock
// Survives: swap skip; qemu_mutex_lock_iothread() in *migration_thread: the same
// Survives: swap skip; qemu_mutex_lock_iothread() in vcpu: guest code takes no lock
// Survives: duplicate qemu_wait_io_event(halt_cond[v], work_queued[v]) in vcpu: it looks twice
