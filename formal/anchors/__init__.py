"""The C functions that models stand for (`@ "file:function"`), and whether they are still what they were when somebody last looked.

In: model files, a source tree, a record of digests. Out: which functions have changed, and which models to look at for that. It must not
open files or print; `tree-sitter` is known in `definitions` alone.
"""
