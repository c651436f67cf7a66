// snapshot-save since 930e239d11, under TCG: the bitmap sync sleeps in run_on_cpu(), with the BQL given back and its flag kept.
//
// The BQL changes hands in the middle of the setup all the same. Whoever sleeps there is in main_context still, by its flag.
//
// Beside: savevm_unlocked.dsl, savevm_resume.dsl, savevm_context_lock_tcg.dsl, hmp_savevm_ends_tcg.dsl

protocol savevm_locked_tcg "snapshot-save, the BQL held during setup (930e239d11), with TCG's run_on_cpu()";

const BEYOND = RUN_ON_CPU;

import "patch/merged.dsl";
import "savevm_qmp.dsl";

expect proved;
