"""The SMT reading of the language: a typed program becomes a control-flow graph, then a transition relation over bit-vectors.

In: `formal.program`. Out: satisfiability questions about executions, and `formal.verdict` views decoded from models. It must not know the
interpreter, which reads the same semantics independently. `z3` is imported nowhere else in the package.
"""
