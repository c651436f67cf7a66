"""The obligations of an invariant, move by move: each a question to a solver, as text, to which `unsat` is the answer if it holds.

In: a program and the properties to prove. Out, for an invariant in the names of `formal.smt.parts`: the scripts of *initiation*,
*consecution* and *safety* (`formal.smt.obligations` says what they are). It must not know how the invariant was found.

*Consecution* is asked of every move by itself, and only of the clauses that it can break. A clause holds after a move because it held
before if none of its literals may become false: it is about a part that the move does not write, or was false before, or is true after the
move as well. All moves are one question: whether some move, from some state that has the invariant, breaks some clause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from formal.invariant import Invariant
from formal.netlist import Term
from formal.program import Program, Property
from formal.smt.alike import Alike
from formal.smt.badness import badness
from formal.smt.changes import Among, Change, Changes, Index
from formal.smt.deadlock import Standstill
from formal.smt.obligations import CONSECUTION, INITIATION, SAFETY
from formal.smt.sentences import sentence


class Questions:
    """What to ask of one program and a choice of its properties. `alike`: who is asked about of those that can be exchanged, for invariants
    that permutations leave as they are. Raises EncodingLimitError, TooManyCases."""

    def __init__(self, program: Program, properties: Sequence[Property], alike: Iterable[Alike] = ()) -> None:
        self.changes = Changes(program, None, alike)
        self.terms = self.changes.terms
        self._properties = tuple(properties)

    # ------------------------------------------------------------ terms

    def clauses(self, invariant: Invariant) -> tuple[tuple[Among, ...], ...]:
        """Those of an invariant, and those that belong to every one. Raises UnknownName."""
        return (*self.changes.proper, *map(self.changes.named, invariant))

    def having(self, invariant: Invariant) -> list[Term]:
        """That a state has an invariant. Raises UnknownName."""
        return [self.changes.clause(clause) for clause in self.clauses(invariant)]

    @cached_property
    def initial(self) -> tuple[Term, ...]:
        """That a state is the first one."""
        return tuple(self.changes.finite.has(part, part.cell.initial) for part in self.changes.parts.all)

    @cached_property
    def still(self) -> Standstill:
        """Who can move."""
        return Standstill(self.changes.stage)

    @cached_property
    def unsafe(self) -> Term:
        """That a state violates something, or some step from it."""
        wanted = {prop.name for prop in self._properties}
        found = badness(self.changes.stage, self.still, self._properties)
        of_states = [self.changes.finite.truth(term) for term in found.terms.values()]
        return self.terms.disjunction([*of_states, *(one.guard for one in self.changes.faults if one.prop in wanted)])

    # ------------------------------------------------------------ questions

    def scripts(self, invariant: Invariant) -> Mapping[str, str]:
        """By obligation. Raises UnknownName, TooManyCases."""
        return {**self.inductive(invariant), SAFETY: self.script([*self.having(invariant), self.unsafe])}

    def inductive(self, invariant: Invariant) -> Mapping[str, str]:
        """The same, without *safety*: whether it is an invariant at all."""
        having = self.having(invariant)
        broken = self.terms.disjunction(map(self.terms.negation, having))
        asked = {INITIATION: (*self.initial, broken), CONSECUTION: (*having, self._lost(invariant))}
        return {which: self.script(roots) for which, roots in asked.items()}

    def script(self, roots: Sequence[Term]) -> str:
        """Whether some state satisfies these."""
        return sentence(self.changes.finite, roots)

    def _lost(self, invariant: Invariant) -> Term:
        """That some move breaks some clause."""
        changes, terms = self.changes, self.terms
        ranges = (((part, frozenset(part.values)),) for part in changes.parts.all)
        clauses = (*self.clauses(invariant), *ranges)
        index = Index(clauses)
        lost = []
        for change in changes.all:
            broken = [self._broken(change, clauses[number]) for number in sorted(index.endangered(change))]
            lost.append(terms.conjunction((change.guard, terms.disjunction(broken))))
        return terms.disjunction(lost)

    def _broken(self, change: Change, clause: Sequence[Among]) -> Term:
        """That a clause does not hold after a move."""
        changes, terms = self.changes, self.terms
        return terms.negation(terms.disjunction(changes.then(change, part, values) for part, values in clause))
