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
