// As multifd_sync_locked.dsl, in the order of 7.2, in which the synchronisation waits for sem_sync only: the channel's thread that would
// post it is not there either.

protocol multifd_sync_locked_7_2 "multifd setup in the order of 7.2, the BQL held across multifd_send_sync_main()";

const SYNC_WAITS_CHANNELS_READY = false;

import "patch/posted_second.dsl";
import "multifd_sync.dsl";

expect violated deadlock.partial;
expect violated deadlock.global;
