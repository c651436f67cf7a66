"""What a log of a real run says by itself, without a model: who held which lock, who waited for whom, in which order locks were taken.

In: the lines of a QEMU log. Out: an `Account`, as data, as text and as a page. What a log cannot tell is told, not guessed. Nothing grows
with the length of the log but the number of locks and of places in the sources. It must not open files, print, or know a model.
"""
