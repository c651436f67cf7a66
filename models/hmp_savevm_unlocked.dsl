// savevm in the monitor, before 930e239d11: always on the main loop (from QMP, as human-monitor-command, since
// 7.2.9 only: effd60c878), so that no assertion fails, but without the BQL.

protocol hmp_savevm_unlocked "HMP savevm, the BQL dropped during setup (before 930e239d11)";

const BEYOND = NOTHING;

import "patch/none.dsl";
import "savevm_hmp.dsl";

expect violated invariant.main_loop_under_bql;
