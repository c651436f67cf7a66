// A save_setup callback alone: what its importers say, and who may call it. `formal prove --contract FILE` puts a callback in here.
//
// A thread without a body stands for whatever that thread does; a procedure without one for whatever it does in the model at hand.

import "../patch/merged.dsl";
import "contract.dsl";
import "vfio_version.dsl";

param VCPUS in 1..64 = 2;
param TCG in bool = true;
param BACKGROUND_SNAPSHOT in bool = false;
param VFIO_VERSION in vfio_version = VFIO_MAPS_NOTHING;

cond halt_cond[VCPUS];

thread main_loop { }
thread vcpu[VCPUS] { }

proc multifd_send_sync_main() @ "migration/multifd.c:multifd_send_sync_main" { }
proc qemu_fflush() @ "migration/qemu-file.c:qemu_fflush" { }
