"""Random walks: executions by chance, what they meet, and how much of the model they have executed.

In: programs, seeds. Out: violations that the interpreter has replayed, coverage. A walk proves nothing. Must not print.
"""
