// As multifd_sync_locked.dsl: what its deadlock means, a migration whose setup never ends.

protocol multifd_sync_hangs "multifd setup, the BQL held across multifd_send_sync_main() (posted, not merged): it may never end";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/posted_second.dsl";
import "multifd_sync.dsl";

strong fair main_loop;
strong fair migration_thread;

liveness setup_ends: eventually finished(migration_thread);

expect violated deadlock.partial;
expect violated deadlock.global;
expect violated liveness.setup_ends;
