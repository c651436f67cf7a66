// Protocols of the textbooks, right and wrong: nothing of QEMU is built into the language.
