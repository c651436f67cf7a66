// A migration's setup with multifd on: what multifd_sync_*.dsl share. The importer says which version of the patch it is, and the order
// of the semaphores (SYNC_WAITS_CHANNELS_READY).

const BACKGROUND_SNAPSHOT = false;
const ANY_ORDER = false;
const TCG = false;
const EARLY_SETUP = false;

import "migration.dsl";
import "multifd.dsl";
import "callbacks/ram.dsl";

proc mmio_exit() { }
