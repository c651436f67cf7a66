"""Proofs that others can check: inductive invariants and rankings, where they come from, how they are kept, and how they are checked."""
