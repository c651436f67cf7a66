"""What each part of a state can be while a thread stands at a place: an analysis of one thread at a time, and of what others do meanwhile.

In: a program's changes. Out: for each thread and place, the values that each part may have then. What others do is taken in where both can
stand at their places at the same time, that is where no part would have to have two values: so whoever holds a lock is safe from those who
need it. Nothing here needs to be right: `invariant` is for a solver to prove. It must not know solvers.

Owicki and Gries (1976) have people write this table; Flanagan and Qadeer ("Thread-modular model checking", 2003) compute one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from formal.invariant import Clause, Invariant, Literal, literal_over
from formal.smt.changes import Changes
from formal.smt.parts import NOBODY, Part

MOST_WORK: Final = 15_000_000  # pairs of a step and a place looked at: some seconds

Row: TypeAlias = int  # of each part the values that it may have, each set in a field of its own
Place: TypeAlias = tuple[int, int]  # a thread, and where it is as a bit


class TooMuchWork(Exception):
    """There are too many threads and places for this."""


class _Fields:
    """How sets of values of all parts are one integer: a field for each part, a bit for each value, and above it a bit that stays 0."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.starts: list[int] = []
        self.masks: list[int] = []
        start = 0
        for part in parts:
            self.starts.append(start)
            self.masks.append(((1 << len(part.values)) - 1) << start)
            start += len(part.values) + 1
        self.all = sum(self.masks)
        self._above = self.all + sum(1 << start for start in self.starts)

    def possible(self, row: Row) -> bool:
        """Whether no set is empty: then a field and all ones together reach the bit above it."""
        return row + self.all & self._above == self._above

    def of(self, row: Row, number: int) -> int:
        """The values of one part."""
        return (row & self.masks[number]) >> self.starts[number]

    def bits(self, part: Part, number: int, values: Set[int]) -> Row:
        """Values of one part, in its place."""
        return _bits(part, values) << self.starts[number]


@dataclass(frozen=True, slots=True)
class _Step:
    """A change in these terms: what may be so before it, the values that it leaves as they are, and those that it may bring."""

    before: Row
    stays: Row
    after: Row


class Standpoints:
    """The table. Raises TooMuchWork."""

    def __init__(self, changes: Changes) -> None:
        self._parts = changes.parts.all
        self.layout = changes.stage.layout
        self._fields = _Fields(self._parts)
        self._number = {part: number for number, part in enumerate(self._parts)}
        self._named = {part.name: (part, number) for part, number in self._number.items()}
        by_cell = {part.cell: number for number, part in enumerate(self._parts)}
        self._at = [by_cell[cells.pc] for cells in self.layout.threads]
        self._rows: list[dict[int, Row]] = [{} for _ in self._at]  # by thread and place
        self._changed: set[Place] = set()
        self._work = 0
        self._steps = self._gathered(changes)
        for thread in range(len(self._at)):
            self._arrive(thread, sum(self._fields.bits(part, number, {part.cell.initial}) for part, number in self._number.items()))
        while self._changed:
            self._round()

    def _gathered(self, changes: Changes) -> Mapping[Place, list[_Step]]:
        """The changes by place."""
        fields, found = self._fields, dict[Place, list[_Step]]()
        for change in changes.all:
            before = stays = fields.all
            after = 0
            for part, value in change.known.items():
                number = self._number[part]
                before &= ~fields.masks[number] | fields.bits(part, number, {value})
            for part, cases in change.after.items():
                number = self._number[part]
                kept = changes.kept(change, part)
                stays &= ~fields.masks[number] | fields.bits(part, number, kept)
                after |= fields.bits(part, number, cases.keys() - kept)
            place = fields.of(before, self._at[change.thread])
            found.setdefault((change.thread, place), []).append(_Step(before, stays, after))
        return found

    def _round(self) -> None:
        """Every step once, but for what has not changed since the last round."""
        fresh, self._changed = self._changed, set()
        for (thread, place), steps in self._steps.items():
            for step in steps:
                before = self._rows[thread].get(place, 0) & step.before
                if self._fields.possible(before):
                    self._take(thread, before, step, (thread, place) in fresh, fresh)

    def _take(self, thread: int, before: Row, step: _Step, changed: bool, fresh: Set[Place]) -> None:
        """A step of a thread from a place, which has `changed`: what it leads to, and what others see of it, if it is news where they are:
        they can only be there if no part would have to have two values."""
        if changed:
            self._arrive(thread, before & step.stays | step.after)
        for other, rows in enumerate(self._rows):
            if other == thread:
                continue
            self._work += len(rows)
            if self._work > MOST_WORK:
                raise TooMuchWork
            for place, row in list(rows.items()):
                if step.after & ~row and (changed or (other, place) in fresh) and self._fields.possible(before & row):
                    self._arrive(other, before & row & step.stays | step.after)

    def _arrive(self, thread: int, row: Row) -> None:
        """More that may be so where a thread is."""
        at, rows = self._at[thread], self._rows[thread]
        elsewhere = row & ~self._fields.masks[at]
        for place in _each(self._fields.of(row, at)):
            old = rows.get(place, 0)
            joined = old | elsewhere | place << self._fields.starts[at]
            if joined != old:
                rows[place] = joined
                self._changed.add((thread, place))

    # ------------------------------------------------------------ what it says

    def at(self, thread: int) -> tuple[Part, frozenset[str]]:
        """The part with a thread's place, and the places that it can come to."""
        part = self._parts[self._at[thread]]
        return part, frozenset(name for place in self._rows[thread] for name in _named(part, place))

    def may(self, thread: int) -> Mapping[Part, Mapping[str, frozenset[str]]]:
        """Of each other part the values that it may have at each of those places."""
        at, _ = self.at(thread)
        rows = {_named(at, place)[0]: row for place, row in sorted(self._rows[thread].items())}
        return {
            part: {place: frozenset(_named(part, self._fields.of(row, number))) for place, row in rows.items()}
            for number, part in enumerate(self._parts)
            if part is not at
        }

    def says(self, thread: int, clause: Clause) -> bool:
        """Whether a clause follows from what the table says of a thread alone."""
        literals = []
        for literal in clause:
            part, number = self._named[literal.part]
            values = sum(1 << place for place, name in enumerate(part.domain) if (name in literal.values) != literal.negated)
            literals.append((number, ~values))
        return all(any(not self._fields.of(row, number) & others for number, others in literals) for row in self._rows[thread].values())

    def invariant(self) -> Invariant:
        """All of it, as clauses."""
        found: dict[Clause, None] = dict.fromkeys(self._at_rest())
        for thread in range(len(self._at)):
            at, reached = self.at(thread)
            found[(literal_over(at.name, at.domain, reached),)] = None
            for part, values in self.may(thread).items():
                for some in dict.fromkeys(values.values()):
                    if len(some) < len(part.domain):
                        elsewhere = frozenset(at.domain) - {place for place, here in values.items() if here == some}
                        literals = literal_over(part.name, part.domain, some), literal_over(at.name, at.domain, elsewhere)
                        found[tuple(sorted(literals))] = None
        return tuple(sorted(found))

    def _at_rest(self) -> Iterator[Clause]:
        """What no thread's place tells: a recursive mutex without an owner is counted 0, and no other one is."""
        parts = {part.cell: part for part in self._parts}
        for mutex, counts in self.layout.count.items():
            for owner, count in zip(self.layout.owner[mutex], counts, strict=True):
                free, zero = Literal(parts[owner].name, (NOBODY,)), Literal(parts[count].name, (parts[count].domain[0],))
                yield tuple(sorted((replace(free, negated=True), zero)))
                yield tuple(sorted((free, replace(zero, negated=True))))


def _bits(part: Part, values: Set[int]) -> int:
    return sum(1 << place for place, value in enumerate(part.values) if value in values)


def _named(part: Part, bits: int) -> list[str]:
    return [name for place, name in enumerate(part.domain) if bits >> place & 1]


def _each(bits: int) -> Iterator[int]:
    """One bit at a time."""
    while bits:
        yield bits & -bits
        bits &= bits - 1
