// COLO's failover before the fix: the main loop joins the COLO incoming thread with the BQL held.
//
// If the primary is alive, that thread may be about to take the BQL for the next part of a checkpoint. The main loop waits for the thread,
// the thread for the BQL, and the guest stops when it next needs the BQL.

protocol colo_failover_joins_locked "COLO failover, the BQL held across the join (before the fix)";

const DROP_BQL_AROUND_JOIN = false;

import "colo_failover.dsl";

expect violated deadlock.partial;                // while a vCPU runs guest code
expect violated deadlock.global;                 // once every vCPU has come to need the BQL
expect violated liveness.fails_over;
