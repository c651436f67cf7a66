// As hmp_savevm_ends.dsl, under TCG: the bitmap sync sleeps in run_on_cpu() until every vCPU, stopped as it is, has done the work.
//
// Beside: hmp_savevm_unlocked.dsl, savevm_unlocked.dsl, savevm_resume.dsl, savevm_context_lock_tcg.dsl, save_setup/ram.dsl

protocol hmp_savevm_ends_tcg "HMP savevm under TCG, the BQL held during setup (930e239d11): it ends, and the guest runs again";

const BEYOND = RESUME_IN_THE_END_RUN_ON_CPU;

import "patch/merged.dsl";
import "hmp_savevm_again.dsl";

expect proved;
