"""Contracts of hooks: a protocol proved against any callback that keeps the contract, and each callback alone against it.

In: files of models and callbacks. Out: programs that engines prove like any other, or diagnostics. Why the two together are enough is told
in docs/decisions/010-contracts.md. Must not judge.
"""
