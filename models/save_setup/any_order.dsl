// All six callbacks, under TCG, in any order: it depends on the machine and on its devices.
//
// Beside: ram_own_pair.dsl, ../savevm_context_lock_tcg.dsl, ../hmp_savevm_ends_tcg.dsl, ../multifd_sync_ends.dsl

protocol any_order "all six save_setup callbacks, in any order";

const TCG = true;
const ANY_ORDER = true;
const VFIO_VERSION = VFIO_MAPS_NOTHING;

import "../patch/merged.dsl";
import "setup.dsl";
import "../multifd_off.dsl";
import "../callbacks/ram.dsl";
import "../callbacks/dirty_bitmap.dsl";
import "../callbacks/block.dsl";
import "../callbacks/vfio.dsl";
import "../callbacks/cmma.dsl";
import "../callbacks/htab.dsl";

expect proved;

// What `formal mutate` may change unnoticed, and why that is no gap (looked at with one vCPU).
// Survives: drop requires.vfio_save_setup in vfio_save_setup: since 8.0 it takes no lock, and asks for none
// Survives: drop invoke any save_setup in qemu_savevm_state_setup: no callback, so nothing to hold one to; all.dsl notices
// Survives: duplicate invoke any save_setup in qemu_savevm_state_setup: all of them again: none leaves anything in its own way
// Survives: duplicate synchronize_rcu() in call_rcu: it waits twice
