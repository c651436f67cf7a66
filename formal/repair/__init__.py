"""The smallest changes to where a lock is taken and given back under which everything that is asked of some models is proved.

In: typed programs that share a lock. Out: edits of their text, and proofs. Must not read files, nor print.
"""
