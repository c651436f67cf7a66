// A background snapshot: what bg_migration_*.dsl share. The importer says which version of the patch it is.

const BACKGROUND_SNAPSHOT = true;
const ANY_ORDER = false;
const TCG = false;
const EARLY_SETUP = false;

import "migration.dsl";
import "multifd_off.dsl";
import "callbacks/ram.dsl";

proc mmio_exit() { }

// The guest stands still while the devices' state is saved, and runs again in the end.
invariant guest_stands_still: at(migration_thread, bg_migration_thread.saving) implies (forall v in vcpu: stopped[v]);
// A vCPU stops only for a guest that is stopped; a stopped one does nothing, and is not in the guest.
invariant stopped_for_good: forall v in vcpu: stopped[v] implies current_run_state != RUN_STATE_RUNNING;
invariant stopped_sleeps: forall v in vcpu: stopped[v]
    implies at(v, qemu_wait_io_event.asleep) || at(v, qemu_wait_io_event.idle) || at(v, qemu_wait_io_event.woken);
liveness guest_runs_again: current_run_state != RUN_STATE_RUNNING leads to current_run_state == RUN_STATE_RUNNING;

// What `formal mutate` may change unnoticed, and why that is no gap.
// Survives: * qemu_savevm_state_setup() in bg_migration_thread: a setup leaves nothing behind that what follows here would look at
// Survives: duplicate invoke save_setup in qemu_savevm_state_setup: the callbacks do the same again
// Survives: drop ram_init_bitmaps() in ram_save_setup: nobody looks at the bitmaps here, nor at the locks that it takes
// Survives: duplicate bg_migration_thread() in migration_thread: a second snapshot behind the first
// Survives: duplicate vm_stop() in bg_migration_thread: to stop twice is to stop
// Survives: swap skip; schedule bg_migration_vm_start_bh in bg_migration_thread: who would run it has to wait for the BQL
// Survives: swap schedule bg_migration_vm_start_bh; qemu_mutex_unlock_iothread() in bg_migration_thread: scheduling takes no lock
// Survives: duplicate schedule bg_migration_vm_start_bh in bg_migration_thread: it is pending already, or starts a guest that runs
// Survives: duplicate vm_start() in bg_migration_vm_start_bh: the guest runs already
// Survives: drop poll default_main_context in main_loop: nothing is in that context here
// Survives: * main_loop_should_exit() in main_loop: only a vCPU leaves a request, and none stops the guest here
// Survives: drop assert.no_work_left in process_queued_cpu_work: without TCG nobody queues work: savevm_locked_tcg.dsl, save_setup/ram.dsl
