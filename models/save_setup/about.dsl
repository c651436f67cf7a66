// The save_setup callbacks of QEMU, each with the callers it has, in the order of their registration or in any.
