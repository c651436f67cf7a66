// What the models of QEMU share: its locks, its contexts, its block layer.
