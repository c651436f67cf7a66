// COLO's failover as fixed (Lei Rao, "Fixed SVM hang when do failover before PVM crash", Jun 2021): the BQL is given away for the join,
// and taken back before the RAM cache is freed.
//
// The thread goes on to its end, through what is left of its checkpoint. The cache outlives it.

protocol colo_failover_joins_unlocked "COLO failover, the BQL given away for the join (as fixed)";

const DROP_BQL_AROUND_JOIN = true;

import "colo_failover.dsl";

expect proved;
