// snapshot-save since 930e239d11, the header flushed: the locked section covers it too.

protocol savevm_header_locked "snapshot-save, the BQL held during setup (930e239d11), the header flushed";

const BEYOND = HEADER_FLUSH;

import "patch/merged.dsl";
import "savevm_qmp.dsl";

expect proved;
