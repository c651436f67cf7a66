// Multifd setup before 930e239d11: nobody holds the BQL in the setup but ram_init_bitmaps(), for itself. There is nothing to drop.

protocol multifd_sync_before "multifd setup, callbacks lock for themselves (before 930e239d11)";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/none.dsl";
import "multifd_sync.dsl";

expect proved;
