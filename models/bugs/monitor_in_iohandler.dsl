// QMP handlers in iohandler_context, since effd60c878: nested loops do not poll that, so that device_add runs in the main loop only.
//
// drain_call_rcu() still gives the BQL away there. It has to: a vCPU that waits for the BQL may be in a read section.

protocol monitor_in_iohandler "device_add, its handler in the iohandler context (effd60c878)";

import "monitor_dispatch.dsl";

bh do_qmp_dispatch_bh on iohandler_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" { qmp_device_add(); }

expect proved;
