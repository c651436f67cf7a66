// A migration of a guest with virtio-mem since 930e239d11: the device's state is saved under the BQL.

protocol migration_early_setup_after "a device's state saved in a migration's setup under the BQL (930e239d11)";

const EARLY_SETUP = true;

import "patch/merged.dsl";
import "migration_thread.dsl";

expect proved;
