// As multifd_sync_unlocked.dsl, in the order of 7.2.

protocol multifd_sync_unlocked_7_2 "multifd setup in the order of 7.2, the BQL dropped around multifd_send_sync_main()";

const SYNC_WAITS_CHANNELS_READY = false;

import "patch/merged.dsl";
import "multifd_sync.dsl";

expect proved;
