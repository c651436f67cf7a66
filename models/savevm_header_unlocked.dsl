// A wrong turn: the BQL is held for the setup but not for the header. Should the header be flushed, its write ends as the setup's did.

protocol savevm_header_unlocked "snapshot-save, the BQL held during setup but not for the header";

const BEYOND = HEADER_FLUSH;

import "patch/setup_only.dsl";
import "savevm_qmp.dsl";

expect violated wrong_context;
expect violated invariant.main_loop_under_bql;
expect violated invariant.one_poller;
