// QMP handlers in the main context, before effd60c878: device_add may run inside of a device.
//
// A vCPU that polls main_context inside of a pflash write runs do_qmp_dispatch_bh there, and drain_call_rcu() gives the BQL away in the
// middle of the write. Another vCPU then enters the same device. And nobody ends the wait: the RCU thread waits for the vCPU's read
// section, which ends only after the wait, so that device_add is never answered. With one vCPU (-D VCPUS=1) that hang is all there is.

protocol monitor_in_main_context "device_add, its handler in the main context (before effd60c878)";

import "monitor_dispatch.dsl";

bh do_qmp_dispatch_bh on main_context @ "qapi/qmp-dispatch.c:do_qmp_dispatch_bh" { qmp_device_add(); }

expect violated assert.alone_in_device;
expect violated deadlock.partial;
expect violated liveness.replies;
