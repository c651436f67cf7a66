"""A growing pool of clauses, and which of them an invariant needs: asked of one incremental solver.

In: obligations, and clauses as somebody proposes them. Out: for safety, or for one clause after a step, either the clauses of the pool that
it follows from (few of them: an unsatisfiable core), or a state that satisfies the whole pool and breaks it. It must not know where
clauses come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import z3

from formal.invariant import Clause
from formal.smt.obligations import Obligations

Question: TypeAlias = Callable[[], frozenset[int] | Mapping[str, int]]


class Inconclusive(Exception):
    """The solver gave up; its text says why."""


class Pool:
    """`clauses`: in the order in which they were added. `memory`: mebibytes after which the solver gives up."""

    def __init__(self, obligations: Obligations, memory: int) -> None:
        self.clauses: list[Clause] = []
        self._obligations = obligations
        self._solver = z3.SolverFor("QF_FD")
        self._solver.set("max_memory", memory)
        self._solver.add(*obligations.ranges(), *obligations.definitions)
        self._unsafe, self._going, self._out = (z3.Bool(f"is {what}") for what in ("unsafe", "going", "out"))
        self._solver.add(z3.Implies(self._unsafe, obligations.unsafe))
        self._solver.add(z3.Implies(self._going, obligations.going))
        self._solver.add(z3.Implies(self._out, z3.Not(z3.And(*obligations.ranges(True)))))
        self._here: list[Any] = []
        self._broken: list[Any] = []
        self._numbers: dict[str, int] = {}

    def add(self, clause: Clause) -> None:
        """One more clause."""
        number = len(self.clauses)
        here, broken = z3.Bool(f"here {number}"), z3.Bool(f"broken {number}")
        self._solver.add(z3.Implies(here, self._obligations.clause(clause)))
        self._solver.add(z3.Implies(broken, z3.Not(self._obligations.clause(clause, True))))
        self.clauses.append(clause)
        self._here.append(here)
        self._broken.append(broken)
        self._numbers[here.decl().name()] = number

    def safe(self) -> frozenset[int] | Mapping[str, int]:
        """Clauses from which safety follows, or an unsafe state that has them all. Raises Inconclusive."""
        return self._ask(self._unsafe)

    def in_range(self) -> frozenset[int] | Mapping[str, int]:
        """The same of every part having one of its values after a step."""
        return self._ask(self._going, self._out)

    def kept(self, number: int) -> frozenset[int] | Mapping[str, int]:
        """The same of a clause after a step."""
        return self._ask(self._going, self._broken[number])

    def question(self, terms: Sequence[Any]) -> Question:
        """The same of any terms about the state here and the step: clauses with which they have no values together, or such a state."""
        asked = z3.FreshBool("question")
        self._solver.add(z3.Implies(asked, z3.And(*terms)))
        return lambda: self._ask(asked)

    def _ask(self, *question: Any) -> frozenset[int] | Mapping[str, int]:
        answer = self._solver.check(*question, *self._here)
        if answer == z3.unsat:
            names = (literal.decl().name() for literal in self._solver.unsat_core())
            return frozenset(self._numbers[name] for name in names if name in self._numbers)
        if answer == z3.unknown:
            raise Inconclusive(self._solver.reason_unknown())
        return self._obligations.values(self._solver.model())
