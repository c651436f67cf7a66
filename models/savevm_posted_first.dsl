// snapshot-save with the patch as first posted: the snapshot holds the BQL, the callbacks take it unless it is held.
//
// Safe, as far as this model goes: the BQL is never dropped at all. What was merged instead holds the BQL for migrations too, so that the
// callbacks need no conditional locking; that, not a bug here, is the reason that the commit's text gives.

protocol savevm_posted_first "snapshot-save, callbacks take the BQL unless it is held (posted first)";

const BEYOND = NOTHING;

import "patch/posted_first.dsl";
import "savevm_qmp.dsl";

expect proved;
