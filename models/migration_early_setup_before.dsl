// A migration of a guest with virtio-mem, 8.1 to 930e239d11: the device's state is saved within the setup, without the BQL, while the
// guest runs and may change it under the BQL.

protocol migration_early_setup_before "a device's state saved in a migration's setup without the BQL (before 930e239d11)";

const EARLY_SETUP = true;

import "patch/none.dsl";
import "migration_thread.dsl";

expect violated requires.vmstate_save;
