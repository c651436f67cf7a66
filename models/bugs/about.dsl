// Other bugs of the same kind in QEMU, each before and after its fix.
