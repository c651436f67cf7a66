"""What each part of a state can be while a thread stands at a place: an analysis of one thread at a time, and of what others do meanwhile.

In: a program's changes. Out: for each thread and place, the values that each part may have then. What others do is taken in where both can
stand at their places at the same time, that is where no part would have to have two values: so whoever holds a lock is safe from those who
need it. Nothing here needs to be right: `invariant` is for a solver to prove. It must not know solvers.

Owicki and Gries (1976) have people write this table; Flanagan and Qadeer ("Thread-modular model checking", 2003) compute one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from formal.invariant import Clause, Invariant, Literal, literal_over
from formal.smt.alike import Member, normal, reverse
from formal.smt.changes import Changes
from formal.smt.parts import NOBODY, Part
from formal.smt.rows import Closure, Fields, Moving, Row, Shuffle

MOST_WORK: Final = 6_000_000  # pairs of a step and a place looked at: some seconds

Place: TypeAlias = tuple[int, int]  # a thread, and where it is as a bit
Company: TypeAlias = tuple[int, frozenset[Member]]  # a thread, and the members that it and its place are about


class TooMuchWork(Exception):
    """There are too many threads and places for this."""


@dataclass(slots=True, eq=False)
class _View:
    """A seat with other members in the place of its own: `thread` has it, `moved` is what makes its row of the seat's (None: nothing)."""

    thread: int
    moved: Shuffle | None
    row: Row


@dataclass(slots=True, eq=False)
class _Seat:
    """A thread at a place, for all that can be exchanged with it. `members`: that these are about, in normal form; `row`: what may be so
    then; `together`: the same of others who can be exchanged meanwhile; `views`: by members."""

    at: Place
    members: tuple[Member, ...]
    steps: Sequence[_Step]
    together: Closure
    row: Row = 0
    views: dict[tuple[Member, ...], _View] = field(default_factory=dict)

    @property
    def company(self) -> Company:
        return self.at[0], frozenset(self.members)


@dataclass(slots=True, eq=False)
class _Step:
    """A change in these terms: what may be so before it, the values that it leaves as they are, and those that it may bring. `unseen`: whom
    it may still bring news to, of the first `met` of those that are met there."""

    before: Row
    stays: Row
    after: Row
    unseen: list[tuple[_Seat, _View]] = field(default_factory=list)
    met: int = 0


class Standpoints:
    """The table. Raises TooMuchWork."""

    def __init__(self, changes: Changes) -> None:
        self.parts = changes.parts.all
        self.roster = changes.roster
        self.layout = changes.stage.layout
        self._fields = Fields(self.parts)
        self._moving = Moving(self._fields, self.roster)
        self._number = {part: number for number, part in enumerate(self.parts)}
        self._named = {part.name: (part, number) for part, number in self._number.items()}
        by_cell = {part.cell: number for number, part in enumerate(self.parts)}
        self._at = [by_cell[cells.pc] for cells in self.layout.threads]
        self._seats: dict[Place, _Seat] = {}
        self._homes: dict[Place, tuple[_Seat, Shuffle | None]] = {}  # of each place: who stands for it, and what makes rows his
        self._met: dict[Company, list[tuple[_Seat, _View]]] = {}  # whom a thread meets that is on the move
        self._changed: dict[_Seat, None] = {}
        self._told: dict[int, Mapping[int, Row]] = {}
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

    # ------------------------------------------------------------ seats

    def _home(self, at: Place) -> tuple[_Seat, Shuffle | None]:
        """Who stands for a thread at a place."""
        found = self._homes.get(at)
        if found is None:
            thread, place = at
            node = self._node(thread, place)
            members = self.roster.spot(thread, node)
            if members == normal(members):
                found = self._seats.get(at) or self._taken(at, members), None
            else:
                to = reverse(self.roster.bringing(members))
                first, there = self.roster.thread_under(to, thread), self.roster.node_under(to, node)
                seat, _ = self._home((first, self._fields.bit(self._at[first], there)))
                found = seat, self._moving.bringing(members)[1]
            self._homes[at] = found
        return found

    def _node(self, thread: int, place: int) -> int:
        """What a bit stands for."""
        return self.parts[self._at[thread]].values[place.bit_length() - 1]

    def _taken(self, at: Place, members: tuple[Member, ...]) -> _Seat:
        """A new seat, made known to everybody."""
        seat = self._seats[at] = _Seat(at, members, self._steps.get(at, ()), self._moving.leaving(frozenset(members)))
        for company, met in self._met.items():
            met += self._views(company, seat)
        if seat.company not in self._met:
            self._met[seat.company] = [view for other in self._seats.values() for view in self._views(seat.company, other)]
        return seat

    def _views(self, company: Company, seat: _Seat) -> Iterator[tuple[_Seat, _View]]:
        """A seat as it is for those that this thread meets there."""
        mover, known = company
        for members in self.roster.meetings(known, seat.members):
            view = seat.views.get(members)
            if view is None:
                thread = self.roster.thread_under(self.roster.bringing(members), seat.at[0])
                moved = None if members == seat.members else self._moving.bringing(members)[0]
                view = seat.views[members] = _View(thread, moved, seat.row if moved is None else moved(seat.row))
            if view.thread != mover:
                yield seat, view

    # ------------------------------------------------------------ the fixed point

    def _round(self) -> None:
        """Every step once, but for what has not changed since the last round."""
        fresh, self._changed = self._changed, {}
        for seat in list(self._seats.values()):
            for step in seat.steps:
                before = seat.row & step.before
                if self._fields.possible(before):
                    if seat in fresh:
                        self._arrive(seat.at[0], before & step.stays | step.after)
                    self._show(seat, before, step, fresh)

    def _show(self, seat: _Seat, before: Row, step: _Step, fresh: Collection[_Seat]) -> None:
        """What others see of a step, if it is news where they are: they can only be there if no part would have to have two values. Who has
        seen all that it may bring is not shown it again."""
        met = self._met[seat.company]
        views = step.unseen + met[step.met :]
        self._work += len(views)
        if self._work > MOST_WORK:
            raise TooMuchWork
        step.unseen, step.met = [], len(met)
        everything, above, after, changed = self._fields.all, self._fields.above, step.after, seat in fresh
        for other, view in views:
            if (changed or other in fresh) and after & ~view.row and (before & view.row) + everything & above == above:
                self._arrive(view.thread, before & view.row & step.stays | after)
            if after & ~view.row:
                step.unseen.append((other, view))

    def _arrive(self, thread: int, row: Row) -> None:
        """More that may be so where a thread is."""
        at = self._at[thread]
        elsewhere = row & ~self._fields.masks[at]
        for place in _each(self._fields.of(row, at)):
            seat, back = self._home((thread, place))
            here = elsewhere | place << self._fields.starts[at]
            joined = seat.row | (here if back is None else back(here))
            if joined != seat.row:
                seat.row = joined = seat.row | seat.together(joined & ~seat.row)
                self._changed[seat] = None
                for view in seat.views.values():
                    view.row = joined if view.moved is None else view.moved(joined)

    # ------------------------------------------------------------ what it says

    def at(self, thread: int) -> tuple[Part, frozenset[str]]:
        """The part with a thread's place, and the places that it can come to."""
        part = self.parts[self._at[thread]]
        return part, _named(part, sum(self._rows(thread)))

    def may(self, thread: int, part: Part) -> Mapping[frozenset[str], frozenset[str]]:
        """The sets of values that another part may have at some of those places, and at which ones."""
        at = self.parts[self._at[thread]]
        found: dict[int, int] = {}
        for place, row in self._rows(thread).items():
            some = self._fields.of(row, self._number[part])
            found[some] = found.get(some, 0) | place
        return {_named(part, some): _named(at, places) for some, places in found.items()}

    def _rows(self, thread: int) -> Mapping[int, Row]:
        """By place, what may be so there."""
        found = self._told.get(thread)
        if found is None:
            found = self._told[thread] = dict(self._each_row(thread))
        return found

    def _each_row(self, thread: int) -> Iterator[tuple[int, Row]]:
        first, to = self.roster.first(thread)
        own = self.roster.thread(thread)[1]
        if first != thread:
            moved, _ = self._moving.bringing(own)
            for place, row in self._rows(first).items():
                yield self._image(to, thread, place), moved(row)
            return
        for (other, place), seat in self._seats.items():
            for members in self.roster.places(own, seat.members) if other == thread else ():
                to = self.roster.bringing(members)
                yield self._image(to, thread, place), self._moving.bringing(members)[0](seat.row)

    def _image(self, to: Mapping[Member, Member], thread: int, place: int) -> int:
        """What becomes of a place, which is then this thread's."""
        return self._fields.bit(self._at[thread], self.roster.node_under(to, self._node(thread, place)))

    def says(self, thread: int, clause: Clause) -> bool:
        """Whether a clause follows from what the table says of a thread alone."""
        literals = []
        for literal in clause:
            part, number = self._named[literal.part]
            values = sum(1 << place for place, name in enumerate(part.domain) if (name in literal.values) != literal.negated)
            literals.append((number, ~values))
        return all(any(not self._fields.of(row, number) & others for number, others in literals) for row in self._rows(thread).values())

    def invariant(self) -> Invariant:
        """All of it, as clauses."""
        found: dict[Clause, None] = dict.fromkeys(self._at_rest())
        own: dict[int, list[Clause]] = {}
        for thread in range(len(self._at)):
            first, to = self.roster.first(thread)
            if first == thread:
                own[thread] = list(dict.fromkeys(self._clauses(thread)))
            found.update(dict.fromkeys(self.roster.clause_under(to, clause) for clause in own[first]) if to else dict.fromkeys(own[first]))
        return tuple(sorted(found))

    def _clauses(self, thread: int) -> Iterator[Clause]:
        """Where a thread may be, what may be so at all while it is there, and at which places it is less."""
        at, reached = self.at(thread)
        yield (literal_over(at.name, at.domain, reached),)
        for part in self.parts:
            if part is at:
                continue
            places = self.may(thread, part)
            everything = frozenset().union(*places)
            if len(everything) < len(part.domain):
                yield (literal_over(part.name, part.domain, everything),)
            for some, here in places.items():
                if some != everything:
                    elsewhere = frozenset(at.domain) - here
                    literals = literal_over(part.name, part.domain, some), literal_over(at.name, at.domain, elsewhere)
                    yield tuple(sorted(literals))

    def _at_rest(self) -> Iterator[Clause]:
        """What no thread's place tells: a recursive mutex without an owner is counted 0, and no other one is."""
        parts = {part.cell: part for part in self.parts}
        for mutex, counts in self.layout.count.items():
            for owner, count in zip(self.layout.owner[mutex], counts, strict=True):
                free, zero = Literal(parts[owner].name, (NOBODY,)), Literal(parts[count].name, (parts[count].domain[0],))
                yield tuple(sorted((replace(free, negated=True), zero)))
                yield tuple(sorted((free, replace(zero, negated=True))))


def _named(part: Part, bits: int) -> frozenset[str]:
    return frozenset(name for place, name in enumerate(part.domain) if bits >> place & 1)


def _each(bits: int) -> Iterator[int]:
    """One bit at a time."""
    while bits:
        yield bits & -bits
        bits &= bits - 1
