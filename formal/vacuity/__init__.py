"""Whether what is proved could fail at all, and what its proof needs.

In: a program, the properties that are proved. Out: for each, whether a statement that it speaks of is reached, which antecedents are never
true, and a core: which locks, waits, guards, assumptions and other assertions it needs. Must not prove what is not proved yet.
"""
