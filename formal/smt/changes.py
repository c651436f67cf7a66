"""What each move changes, part by part, in terms over values (`formal.smt.finite`).

In: a program. Out: `Change`s: when the move can be made, what is known of the state before it, and what parts have after it. What a move
does not write stays as it is, without anything to say for it. It must not know invariants, nor solvers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from formal.invariant import Clause, Invariant, Literal, literal_over
from formal.netlist import Term
from formal.program import Program
from formal.smt.alike import Alike, Roster
from formal.smt.finite import Cases, Finite
from formal.smt.layout import Stage, lay_out
from formal.smt.lower import lower
from formal.smt.moves import Fault, Move, Spot, moves, properly
from formal.smt.parts import Part, Parts
from formal.smt.scene import Loose

Among: TypeAlias = tuple[Part, frozenset[int]]  # a literal: the part has one of these values


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A move of `thread`. `guard`: when it can be made, the place of the thread included; `known`: values that some parts have then;
    `after`: of each part that may change, what it has then."""

    thread: int
    guard: Term
    known: Mapping[Part, int]
    after: Mapping[Part, Cases]

    def sure(self, part: Part) -> int | None:
        """The one value that a part gets; None if it is not the only one."""
        cases = self.after[part]
        return next(iter(cases)) if len(cases) == 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Blow:
    """A step of `thread` that violates `prop`. `guard`: when it does, the place of the thread included."""

    thread: int
    prop: str
    guard: Term


def _literal(part: Part, values: frozenset[int]) -> Literal:
    return literal_over(part.name, part.domain, frozenset(name for name, value in part.number_of.items() if value in values))


class Index:
    """Which of some lists of literals speak of a part, and which of those allow a value. No list has two literals of one part."""

    def __init__(self, lists: Sequence[Sequence[Among]]) -> None:
        self._literals: dict[Part, list[tuple[int, frozenset[int]]]] = {}
        for number, literals in enumerate(lists):
            for part, values in literals:
                self._literals.setdefault(part, []).append((number, values))
        self._speaking = {part: frozenset(number for number, _ in some) for part, some in self._literals.items()}
        self._allowing: dict[tuple[Part, int], frozenset[int]] = {}

    def speaking(self, part: Part) -> frozenset[int]:
        """Those that have a literal of the part."""
        return self._speaking.get(part, frozenset())

    def allowing(self, part: Part, value: int) -> frozenset[int]:
        """Those of them whose literal has the value."""
        found = self._allowing.get((part, value))
        if found is None:
            some = self._literals.get(part, ())
            found = self._allowing[part, value] = frozenset(number for number, values in some if value in values)
        return found

    def before(self, change: Change, part: Part) -> frozenset[int]:
        """Those whose literal of the part may be true before a change."""
        return self.allowing(part, change.known[part]) if part in change.known else self.speaking(part)

    def endangered(self, change: Change) -> set[int]:
        """Those with a literal that may become false in a change, and none that is true after it for sure."""
        found: set[int] = set()
        safe: set[int] = set()
        for part in change.after:
            sure = change.sure(part)
            kept = frozenset() if sure is None else self.allowing(part, sure)
            found |= self.before(change, part) - kept
            safe |= kept
        for part, value in change.known.items():
            if part not in change.after:
                safe |= self.allowing(part, value)
        return found - safe

    def excluded(self, change: Change) -> frozenset[int]:
        """Those with a literal that is false before a change."""
        return frozenset().union(*(self.speaking(part) - self.allowing(part, value) for part, value in change.known.items()))


class Changes:
    """A program's changes, its faults, and what can be said of its states. `loose`: of a scene; `alike`: of changes and faults that come to
    the same but for names, one. Raises EncodingLimitError, TooManyCases."""

    def __init__(self, program: Program, loose: Loose | None = None, alike: Iterable[Alike] = ()) -> None:
        cfg = lower(program)
        self.stage = Stage(cfg, lay_out(cfg))
        self.parts = Parts(self.stage)
        self.roster = Roster(self.parts, alike)
        self.finite = Finite(self.parts)
        self.terms = self.finite.terms
        self._by_cell = {part.cell: part for part in self.parts.all}
        changes: list[Change] = []
        faults: list[Blow] = []
        for one in moves(cfg, self.stage.layout, loose, self.roster.stands_for_all):
            match one:
                case Move():
                    change = self._change(one)
                    if change.guard is not self.terms.false:
                        changes.append(change)
                case Fault(spot=spot, guard=guard, prop=prop):
                    faults.append(Blow(spot.thread, prop, self.terms.conjunction((*self._standing(spot), self.finite.truth(guard)))))
        self.all, self.faults = tuple(changes), tuple(faults)

    @cached_property
    def proper(self) -> tuple[tuple[Among, ...], ...]:
        """How threads stand, wherever they come to: clauses that belong to every invariant."""
        layout = self.stage.layout
        return tuple(
            tuple((self._by_cell[cell], frozenset(values)) for cell, values in clause)
            for thread in range(len(layout.threads))
            for clause in properly(layout, thread)
        )

    def proper_clauses(self) -> Invariant:
        """The same by their names."""
        return tuple(tuple(sorted(_literal(part, values) for part, values in clause)) for clause in self.proper)

    def _standing(self, spot: Spot) -> Iterator[Term]:
        for part, value in self._place(spot).items():
            yield self.finite.has(part, value)

    def _place(self, spot: Spot) -> dict[Part, int]:
        cells = self.stage.layout.threads[spot.thread]
        found = {self._by_cell[cells.pc]: spot.node.id}
        if cells.level in self._by_cell:
            found[self._by_cell[cells.level]] = spot.level
        return found

    def _change(self, move: Move) -> Change:
        finite = self.finite
        guard = self.terms.conjunction((*self._standing(move.spot), *map(finite.truth, move.guard)))
        known = self._place(move.spot) | dict(self._told(guard))
        after: dict[Part, Cases] = {}
        for cell, value in move.after.items():
            part = self._by_cell.get(cell)
            if part is not None:
                cases = finite.values(cell, value)
                if not (part in known and cases.keys() == {known[part]}):
                    after[part] = cases
        return Change(move.spot.thread, guard, known, after)

    def _told(self, guard: Term) -> Iterator[tuple[Part, int]]:
        """The values that a conjunction says outright."""
        work = [guard]
        for term in work:
            if term.op == "and":
                work += term.args
                continue
            negated = term.op == "not"
            part, value = self.finite.parts.get(str((term.args[0] if negated else term).value), (None, 0))
            if part is not None and not negated:
                yield part, value
            elif part is not None and len(part.values) == 2:
                yield part, next(other for other in part.values if other != value)

    def literal(self, literal: Literal) -> Among:
        """A literal by its values. Raises UnknownName."""
        part, values = self.parts.read(literal.part, literal.values)
        return part, frozenset(part.values) - values if literal.negated else values

    def named(self, clause: Clause) -> tuple[Among, ...]:
        """A clause by its names. Raises UnknownName."""
        found: dict[Part, frozenset[int]] = {}
        for part, values in map(self.literal, clause):
            found[part] = found.get(part, frozenset()) | values
        return tuple(found.items())

    # ------------------------------------------------------------ after a change

    def kept(self, change: Change, part: Part) -> frozenset[int]:
        """Of the values that a part may have after a change, those that it has only if it had them before: as an element of an array has
        that may not be the one that is written."""
        return frozenset(value for value, when in change.after[part].items() if (part, value) in self._told(when))

    def clause(self, clause: Iterable[Among]) -> Term:
        """A clause of the state before."""
        return self.terms.disjunction(self.finite.among(part, values) for part, values in clause)

    def then(self, change: Change, part: Part, values: frozenset[int]) -> Term:
        """That a part has one of these values after a change."""
        cases = change.after.get(part)
        if cases is not None:
            if cases.keys() <= values:
                return self.terms.true
            return self.terms.disjunction(when for value, when in cases.items() if value in values)
        if part in change.known:
            return self.terms.true if change.known[part] in values else self.terms.false
        return self.finite.among(part, values)
