// A migration without multifd: what migration_thread_*.dsl share. The importer says which version of the patch it is, and
// whether there is a device whose state is saved within the setup (EARLY_SETUP).

const BACKGROUND_SNAPSHOT = false;
const ANY_ORDER = false;
const TCG = false;

import "migration.dsl";
import "multifd_off.dsl";
import "callbacks/ram.dsl";

proc mmio_exit() { }
