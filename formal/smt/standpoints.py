"""What each part of a state can be while a thread stands at a place: an analysis of one thread at a time, and of what others do meanwhile.

In: a program's changes. Out: for each thread and place, the values that each part may have then. What others do is taken in where both can
stand at their places at the same time, that is where no part would have to have two values: so whoever holds a lock is safe from those who
need it. Nothing here needs to be right: `invariant` is for a solver to prove. It must not know solvers.

Owicki and Gries (1976) have people write this table; Flanagan and Qadeer ("Thread-modular model checking", 2003) compute one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from formal.invariant import Clause, Invariant, Literal, literal_over
from formal.smt.changes import Changes
from formal.smt.parts import NOBODY, Part

MOST_WORK: Final = 3_000_000  # pairs of places looked at: some seconds

Row: TypeAlias = list[int]  # by part the values that it may have, as bits
Pairs: TypeAlias = tuple[tuple[int, int], ...]  # numbers of parts, and values of theirs as bits
Place: TypeAlias = tuple[int, int]  # a thread, and where it is as a bit


class TooMuchWork(Exception):
    """There are too many threads and places for this."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A change in these terms: what is known before, and what is so after it."""

    known: Pairs
    after: Pairs


class Standpoints:
    """The table. Raises TooMuchWork."""

    def __init__(self, changes: Changes) -> None:
        self._parts = changes.parts.all
        self.layout = changes.stage.layout
        self._number = {part: number for number, part in enumerate(self._parts)}
        by_cell = {part.cell: number for number, part in enumerate(self._parts)}
        self._at = [by_cell[cells.pc] for cells in self.layout.threads]
        self._rows: list[dict[int, Row]] = [{} for _ in self._at]  # by thread and place
        self._changed: set[Place] = set()
        self._work = 0
        self._steps = self._gathered(changes)
        for thread in range(len(self._at)):
            self._arrive(thread, [_bits(part, {part.cell.initial}) for part in self._parts])
        while self._changed:
            self._round()

    def _gathered(self, changes: Changes) -> Mapping[Place, list[_Step]]:
        """The changes by place."""
        found: dict[Place, list[_Step]] = {}
        for change in changes.all:
            known = {self._number[part]: _bits(part, {value}) for part, value in change.known.items()}
            after = tuple((self._number[part], _bits(part, cases.keys())) for part, cases in change.after.items())
            found.setdefault((change.thread, known[self._at[change.thread]]), []).append(_Step(tuple(known.items()), after))
        return found

    def _round(self) -> None:
        """Every step once, but for what has not changed since the last round."""
        fresh, self._changed = self._changed, set()
        for (thread, place), steps in self._steps.items():
            for step in steps:
                before = _before(self._rows[thread].get(place), step)
                if before is not None:
                    self._take(thread, before, step, (thread, place) in fresh, fresh)

    def _take(self, thread: int, before: Row, step: _Step, changed: bool, fresh: Set[Place]) -> None:
        """A step of a thread from a place, which has `changed`: what it leads to, and what others see of it."""
        if changed:
            self._arrive(thread, _after(before, step))
        for other, at in enumerate(self._at):
            if other != thread:
                for place, row in list(self._rows[other].items()):
                    if before[at] & place and (changed or (other, place) in fresh):
                        self._meanwhile(other, row, before, step)

    def _meanwhile(self, other: int, row: Row, before: Row, step: _Step) -> None:
        """What a step makes of what another thread knows at a place."""
        self._work += 1
        if self._work > MOST_WORK:
            raise TooMuchWork
        if not any(bits & ~row[part] for part, bits in step.after):
            return  # nothing new
        for one, two in zip(before, row, strict=True):
            if not one & two:
                return  # one of them is not there when the other is
        self._arrive(other, _after([one & two for one, two in zip(before, row, strict=True)], step))

    def _arrive(self, thread: int, row: Row) -> None:
        """More that may be so where a thread is."""
        at, rows = self._at[thread], self._rows[thread]
        for place in _each(row[at]):
            new = [*row[:at], place, *row[at + 1 :]]
            old = rows.get(place)
            joined = new if old is None else [one | two for one, two in zip(old, new, strict=True)]
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
            part: {place: frozenset(_named(part, row[number])) for place, row in rows.items()}
            for number, part in enumerate(self._parts)
            if part is not at
        }

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


def _before(row: Row | None, step: _Step) -> Row | None:
    """What may be so when a step is taken; None if it can't be, as far as is known by now."""
    if row is None:
        return None
    before = list(row)
    for part, bits in step.known:
        before[part] &= bits
        if not before[part]:
            return None
    return before


def _after(before: Row, step: _Step) -> Row:
    after = list(before)
    for part, bits in step.after:
        after[part] = bits
    return after


def _bits(part: Part, values: Set[int]) -> int:
    return sum(1 << place for place, value in enumerate(part.values) if value in values)


def _named(part: Part, bits: int) -> list[str]:
    return [name for place, name in enumerate(part.domain) if bits >> place & 1]


def _each(bits: int) -> Iterator[int]:
    """One bit at a time."""
    while bits:
        yield bits & -bits
        bits &= bits - 1
