// The monitor command savevm: its handler saves the snapshot itself, in the main loop, where the monitor's input is read.

import "savevm.dsl";

thread user {
    schedule monitor_read;                       // types "savevm"
}

// Not a bottom half in QEMU but a handler of the character device's file descriptor, in glib's context: dispatched by the main loop only.
bh monitor_read on iohandler_context @ "monitor/hmp.c:monitor_read" {
    save_snapshot() @ "monitor/hmp-cmds.c:hmp_savevm";
}
