// Multifd setup in the second version of 930e239d11's patch, as posted and not merged: the BQL held across multifd_send_sync_main().
//
// The migration thread holds the BQL and waits for channels_ready. The channel's thread that would post it is not there yet: creating it
// is up to the main loop, which waits for the BQL. The guest runs on until it needs the BQL too. The report against
// that version shows these three in these places, and the RCU thread in synchronize_rcu(), which is left out here.

protocol multifd_sync_locked "multifd setup, the BQL held across multifd_send_sync_main() (posted, not merged)";

const SYNC_WAITS_CHANNELS_READY = true;

import "patch/posted_second.dsl";
import "multifd_sync.dsl";

expect violated deadlock.partial;                // while a vCPU runs guest code
expect violated deadlock.global;                 // once every vCPU has come to need the BQL

// What `formal repair` finds here, and what it would break outside of this model:
// Repair: insert * in multifd_send_sync_main: ram_save_iterate() calls it without the BQL, where this gives back a lock that is another's
