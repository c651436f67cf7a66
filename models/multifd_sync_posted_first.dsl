// Multifd setup with the patch as first posted: as before for migrations, since their callbacks find the BQL not held and take it.

protocol multifd_sync_posted_first "multifd setup, callbacks take the BQL unless it is held (posted first)";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/posted_first.dsl";
import "multifd_sync.dsl";

expect proved;
