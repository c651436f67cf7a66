"""What differs between two models, and which of it matters: a patch and what it replaces, both as models.

In: typed programs, reports about them. Out: hunks, programs with a hunk taken back, how far a witness of the one goes in the other, and all
that told. It must not search; the command asks the pipeline.
"""
