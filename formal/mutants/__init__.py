"""Whether a model has teeth: single statements changed, and what notices.

In: typed programs that are proved. Out: mutants, and what becomes of each. Must not read files, nor print.
"""
