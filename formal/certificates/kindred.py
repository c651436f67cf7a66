"""A program of any size, of whose members few are told, for who holds a certificate of all sizes to it.

In: a program, the parameters that say how many members there are, from how many on. Out: `Kindred`: the program of each size by its parts,
and what steps from a place may be about, whoever stands there; or why nothing can be said. It must not know certificates, nor who looks for
them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from formal.certificates.crowded import Unsuited
from formal.certificates.family import MANY_MORE
from formal.certificates.kinds import Member, Names
from formal.certificates.likeness import alike_between, shape_of
from formal.certificates.lineup import Lineup, Tally
from formal.certificates.sized import check_shape, encoded, invariants, member_names, sized
from formal.interp import Elements, Uncountable
from formal.program import Atomic, PostSem, Program, SemDecl
from formal.smt.cfg import FIRST
from formal.smt.concrete import where
from formal.smt.sighted import Sighted, Way

SAMPLE: Final = 5  # members of the program in which it is looked up what steps are about
LARGEST: Final = 12  # members of the largest program that states are looked at in


@dataclass(frozen=True, slots=True)
class Scope:
    """What steps from a place may be about besides their mover, and those that its place names. `alone`: nothing but what is the mover's
    own; `picks`: one other member by itself; `broad`: all of them, `cells` being what is looked at of each, and `changes`: whether anything
    of them is changed; `waits`: what is looked at of others for whether the mover waits; `orders`: it may go on in a `for`, or leave it;
    `begins`: it may come to the first pass of one; `counts`: the tallied semaphores that it posts or waits for."""

    alone: bool = True
    picks: bool = False
    broad: bool = False
    changes: bool = False
    orders: bool = False
    begins: bool = False
    cells: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()
    counts: frozenset[str] = frozenset()

    def joined(self, other: Scope) -> Scope:
        """What is so of either."""
        return Scope(
            self.alone and other.alone,
            self.picks or other.picks,
            self.broad or other.broad,
            self.changes or other.changes,
            self.orders or other.orders,
            self.begins or other.begins,
            self.cells | other.cells,
            self.waits | other.waits,
            self.counts | other.counts,
        )


class Kindred:
    """`sorts`: the parameters, in order; `extra`: the --with files. Raises Unsuited."""

    def __init__(self, program: Program, least: Mapping[str, int], asked: Collection[str], extra: tuple[str, ...] = ()) -> None:
        self.sorts = tuple(sorted(least))
        self.least = {name: max(low, program.counts[name].low if name in program.counts else 1) for name, low in sorted(least.items())}
        self._program = program
        self._asked = frozenset(asked)
        self._extra = extra
        self._lineups: dict[tuple[int, ...], Lineup] = {}
        self._through: dict[tuple[str, int], str] = {}
        self.names = Names(self._checked(name) for name in self.sorts)
        self.tallies = tuple(self._tallied())
        self.sample = self._made((SAMPLE,) * len(self.sorts))
        self._scopes: dict[tuple[str, str], Scope] = {}
        self._shape = shape_of(self.sample)
        if not alike_between(self._shape):
            raise Unsuited("the passes of a `for` are not alike")
        self._look_up()

    # ------------------------------------------------------------ what the text has to be like

    def _checked(self, name: str) -> list[str]:
        """The names of a parameter's members, its own first. Raises Unsuited."""
        counted = self._program.counts.get(name)
        if counted is None or counted.high is not None:
            raise Unsuited(f"`{name}` has an upper bound")
        if counted.low > 1:
            raise Unsuited(f"`{name}` begins with {counted.low}")
        if counted.otherwise is not None:
            raise Unsuited(f"{name} says more than how many there are of something (line {counted.otherwise.line})")
        small, large = self._sized({name: SAMPLE}), self._sized({name: MANY_MORE})
        check_shape(small, large, name)
        try:
            Elements(large, invariants(large)).check_ranges(counted.names)
            elements = Elements(small, invariants(small))
            if counted.bounds:
                elements.check_values(counted.bounds)
            found = elements.untold(counted.names)
        except Uncountable as problem:
            raise Unsuited(str(problem)) from problem
        self._through.update({where(stmt): name for sort in found for stmt in sort.ordered})
        return [name, *sorted(member_names(counted, found))]

    def _sized(self, sizes: Mapping[str, int]) -> Program:
        return sized(self._program, sizes, self._extra)

    def _tallied(self) -> list[Tally]:
        """The semaphores that go further the more members there are. Raises Unsuited."""
        bounds = {name: self._program.counts[name].bounds for name in self.sorts}
        twice = [sem for name in self.sorts for sem in bounds[name] if any(sem in bounds[other] for other in self.sorts if other != name)]
        if twice:
            raise Unsuited(f"how far `{min(twice)}` goes depends on several numbers")
        found: list[Tally] = []
        for number, name in enumerate(self.sorts):
            few, more = (_semaphores(self._sized({name: size})) for size in (1, 2))
            for sem in sorted(bounds[name]):
                each, first = more[sem].max_count - few[sem].max_count, more[sem].initial - few[sem].initial
                part = f"{sem}.count"
                found.append(Tally(part, number, each, few[sem].max_count - each, first, few[sem].initial - first))
        return found

    # ------------------------------------------------------------ one size

    def lineup(self, sizes: tuple[int, ...]) -> Lineup:
        """The program with so many members of each sort. Raises Unsuited."""
        if sizes not in self._lineups:
            found = self._lineups[sizes] = self._made(sizes)
            if shape_of(found).differs(self._shape):
                raise Unsuited("what a state is made of, or where control goes, depends on how many there are")
        return self._lineups[sizes]

    def _made(self, sizes: tuple[int, ...]) -> Lineup:
        if max(sizes) > LARGEST:
            raise Unsuited(f"more than {LARGEST} members have to be looked at")
        program = self._sized(dict(zip(self.sorts, sizes, strict=True)))
        check_shape(program, self._program, " or ".join(self.sorts))
        concrete = encoded(lambda: Sighted(program, self._asked, self._through))
        there = _semaphores(program)
        for tally in self.tallies:
            size, sem = sizes[tally.sort], there[tally.part.removesuffix(".count")]
            if (sem.max_count, sem.initial) != (tally.each * size + tally.besides, tally.first * size + tally.at_first):
                raise Unsuited(f"how far `{sem.name}` goes does not grow in proportion")
        return Lineup(concrete, self.names, sizes, self.tallies, self.sorts)

    # ------------------------------------------------------------ what steps are about

    def scope(self, lineup: Lineup, thread: int, place: int) -> Scope:
        """What steps of a thread from a place may be about."""
        key = self._key(lineup, thread, place)
        if key not in self._scopes and place >= FIRST:
            raise Unsuited(f"`{key[1]}` is no place where {SAMPLE} members are")
        return self._scopes.get(key, Scope())

    def _key(self, lineup: Lineup, thread: int, place: int) -> tuple[str, str]:
        return self.names.anybody(lineup.concrete.threads[thread]), self.names.anybody(lineup.concrete.places[place])

    def _look_up(self) -> None:
        concrete = self.sample.concrete
        for thread, place in concrete.standing():
            scope = self._scopes.get(self._key(self.sample, thread, place), Scope())
            for way in concrete.ways(thread, place):
                scope = scope.joined(self._about(thread, place, way))
            waits = concrete.waits(thread, place)
            self._scopes[self._key(self.sample, thread, place)] = scope.joined(Scope(waits=self._cells(thread, place, waits)))

    def _others(self, thread: int, place: int, positions: Collection[int]) -> set[Member]:
        """The members that parts are of, but for the mover and those that its place names."""
        names = self.sample.concrete.names
        return {member for position in positions for member in self.names.members(names[position])} - self._named(thread, place)

    def _cells(self, thread: int, place: int, positions: Collection[int]) -> frozenset[str]:
        """By name, the parts that are looked at of other members."""
        concrete = self.sample.concrete
        return frozenset(self.names.anybody(concrete.names[position]) for position in positions if self._others(thread, place, (position,)))

    def _about(self, thread: int, place: int, way: Way) -> Scope:
        concrete, tallied = self.sample.concrete, {self.sample.index[tally.part]: tally.part for tally in self.tallies}
        touched = way.reads | way.writes
        others = self._others(thread, place, touched)
        changed = self._others(thread, place, way.writes)
        single = self._picked(thread, place, way, others, changed)
        here = dict(concrete.passes(place))
        there = [concrete.passes(target) for target in way.targets]
        started = any(concrete.passes(target) for target in way.others)
        posts = isinstance(concrete.node(place).stmt, PostSem)
        return Scope(
            alone=all(self._is_own(thread, position) for position in touched if not posts or position not in tallied),
            picks=bool(single) or concrete.picks(place) > 0,
            broad=len(others) > 1,
            changes=not changed <= single,
            orders=started or any(passes != concrete.passes(place) for passes in there),
            begins=started or any(stmt not in here or (number == 0 and here[stmt] != 0) for passes in there for stmt, number in passes),
            cells=self._cells(thread, place, way.reads) if len(others) > 1 else frozenset(),
            counts=frozenset(tallied[position] for position in touched & tallied.keys()),
        )

    def _named(self, thread: int, place: int) -> set[Member]:
        """The mover, and those that its place names."""
        concrete = self.sample.concrete
        return {*self.names.members(concrete.threads[thread]), *self.names.members(concrete.places[place])}

    def _picked(self, thread: int, place: int, way: Way, others: Collection[Member], changed: Collection[Member]) -> set[Member]:
        """Who is picked, if anybody is. An `atomic` picks nobody: `Concrete.problem` refuses those that would, and whoever is changed on
        one of its paths is changed because of what is its own. Raises Unsuited."""
        if isinstance(self.sample.concrete.node(place).stmt, Atomic) and len(others) > 1:
            return set()
        found = self._single(thread, place, others) | self._single(thread, place, changed) | self._led_to(thread, place, way)
        if len(found) > 1:
            raise Unsuited("a step may be about several members by themselves")
        return found

    def _single(self, thread: int, place: int, members: Collection[Member]) -> set[Member]:
        """Those of their sort of whom only one is among these; else it has to be nobody or everybody. Raises Unsuited."""
        named = self._named(thread, place)
        found = set()
        for sort in range(len(self.sorts)):
            mine = {member for member in members if member[0] == sort}
            if len(mine) == 1:
                found |= mine
            elif mine and len(mine) < SAMPLE - len({member for member in named if member[0] == sort}):
                raise Unsuited("a step may be about several members by themselves")
        return found

    def _led_to(self, thread: int, place: int, way: Way) -> set[Member]:
        """Those that the mover's next place names, but for how far a `for` has come."""
        places = self.sample.concrete.places
        there = ({*self.names.members(places[target])} - {*self.sample.passes(target)} for target in way.targets)
        return set().union(*there) - self._named(thread, place)

    def _is_own(self, thread: int, position: int) -> bool:
        concrete = self.sample.concrete
        mine = set(self.names.members(concrete.threads[thread]))
        return bool(mine) and set(self.names.members(concrete.names[position])) == mine


def _semaphores(program: Program) -> dict[str, SemDecl]:
    return {sem.name: sem for sem in program.sems}
