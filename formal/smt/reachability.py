"""Whether a property can be violated at all: Spacer is asked, and what it says is checked.

In: a relation, properties of states and steps, facts. Out: reachable, which is not checked here; not reachable, proved; or
neither, and why. What was proved of one property helps with the next. It must not know how long executions are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from formal.program import Property
from formal.smt.badness import badness
from formal.smt.deadlock import Standstill
from formal.smt.horn import Horn
from formal.smt.proofs import proves
from formal.smt.relation import Relation
from formal.smt.solver import Answer
from formal.smt.terms import any_of, as_term


@dataclass(frozen=True, slots=True)
class Said:
    """SAT: it can be violated, as Spacer says. UNSAT: it cannot, proved by an invariant of `lemmas` facts and `clauses` of Spacer's.
    UNKNOWN: `reason`; `later`: more time may help."""

    answer: Answer
    reason: str = ""
    later: bool = False
    lemmas: int = 0
    clauses: int = 0


class Reachability:
    """Questions about one program. `facts`: terms over the current state that are inductive together. `memory`: mebibytes, for
    Spacer and for each check."""

    def __init__(self, relation: Relation, properties: Sequence[Property], facts: Sequence[Any], memory: int) -> None:
        self._relation = relation
        self._memory = memory
        self._facts = tuple(facts)
        self._clauses: list[Any] = []
        found = badness(relation, Standstill(relation), properties)
        parts = {p.name: (found.terms.get(p.name, False), relation.failing.get(p.name, False)) for p in properties}
        self._bad = {name: as_term(any_of(bad)) for name, bad in parts.items()}
        self._horn = Horn(relation, found.free, memory)
        self._horn.learn(self._facts)

    def ask(self, name: str, milliseconds: int) -> Said:
        """One property. Spacer has so much time; the checks have all they need."""
        if self._proved(name, ()):
            return self._unreachable(())
        for plain in (False, True):
            reply = self._horn.reachable(self._bad[name], milliseconds, plain)
            if reply.answer is not Answer.UNSAT:
                return Said(reply.answer, f"Spacer gave up: {reply.reason}", reply.later)
            if reply.clauses is not None and self._proved(name, reply.clauses):
                return self._unreachable(reply.clauses)
        found = "cannot be read back" if reply.clauses is None else "does not stand up to a check"
        return Said(Answer.UNKNOWN, f"Spacer says that it cannot be violated, but its invariant {found}")

    def _proved(self, name: str, clauses: Sequence[Any]) -> bool:
        return proves(self._relation, [*self._facts, *self._clauses, *clauses], self._bad[name], self._memory)

    def _unreachable(self, clauses: Sequence[Any]) -> Said:
        """The clauses were checked: they are facts for whatever is asked next."""
        self._horn.learn(clauses)
        self._clauses += clauses
        return Said(Answer.UNSAT, lemmas=len(self._facts), clauses=len(self._clauses))

    def figures(self) -> Mapping[str, int | float | str]:
        return {"lemmas": len(self._facts), "clauses by Spacer": len(self._clauses), "runs of Spacer": self._horn.questions}
