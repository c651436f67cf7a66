// A migration of a guest with virtio-mem since 930e239d11: the device's state is saved under the BQL.
//
// Beside: migration_early_setup_before.dsl, multifd_sync_locked.dsl, multifd_sync_ends.dsl

protocol migration_early_setup_after "a device's state saved in a migration's setup under the BQL (930e239d11)";

const EARLY_SETUP = true;

import "patch/merged.dsl";
import "migration_thread.dsl";

expect proved;
