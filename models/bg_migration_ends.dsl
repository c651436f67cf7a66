// A background snapshot since 930e239d11: it comes to where the devices' state is saved, whatever else needs the BQL; and then the guest
// runs again, every vCPU of it.
//
// Beside: multifd_sync_locked.dsl, save_setup/ram.dsl

protocol bg_migration_ends "a background snapshot's setup under the BQL (930e239d11): it ends, and the guest runs again";

import "patch/merged.dsl";
import "bg_migration.dsl";

strong fair main_loop;                           // the BQL is not fair
strong fair migration_thread;
strong fair vcpu;

liveness setup_ends: eventually at(migration_thread, bg_migration_thread.saving);
liveness vcpus_run_again: (exists v in vcpu: stopped[v])
    leads to (forall v in vcpu: !stopped[v] && !stop[v] && !at(v, qemu_wait_io_event.idle));

expect proved;
