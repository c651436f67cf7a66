"""Stepping through executions: one made by hand, or one that was recorded.

In: machines, lines that somebody typed. Out: lines to show. Must not read or print: the commands do.
"""
