"""States of one size of a program, put into the terms of any size, and back.

In: a program of one size (`formal.smt.sighted`), how members are named, semaphores whose value is reckoned by who has given how much. Out:
of a state what it tells, and the kinds of the others; and states of what is told and others of these kinds. It must not know steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod
from typing import Final, TypeAlias

from formal.certificates.crowded import ANY, Fact, Unsuited
from formal.certificates.kinds import AHEAD, PASSED, REACHED, STANDING, Kind, Member, Names, Told
from formal.smt.concrete import State
from formal.smt.sighted import Sighted

MOST_ORDERS: Final = 720  # of members that are told and have the same kind


@dataclass(frozen=True, slots=True)
class Tally:
    """A semaphore whose bound, and first value, is so much for each member of a sort, and so much besides. `part`: its name."""

    part: str
    sort: int
    each: int
    besides: int
    first: int
    at_first: int


@dataclass(frozen=True, slots=True)
class Full:
    """A state, and of each tallied semaphore what each member has given, and then what nobody has."""

    state: State
    given: tuple[tuple[int, ...], ...]


_Meaning: TypeAlias = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int, int], ...]]  # values of parts; who has given how much


@dataclass(frozen=True, slots=True)
class _Said:
    """A value of a part as a fact. `of`: the one member that it alone speaks of, whichever that is then; `links`: those that it speaks of
    else; `passes`: the members that `for`s in progress have come to."""

    fact: Fact
    of: Member | None
    links: tuple[Member, ...]
    passes: tuple[Member, ...]


class Lineup:
    """One size: `sizes[n]` members of sort n. `sorts`: the names that passes of a `for` through each are told by."""

    def __init__(self, concrete: Sighted, names: Names, sizes: Sequence[int], tallies: Sequence[Tally], sorts: Sequence[str]) -> None:
        self.concrete = concrete
        self.sizes = tuple(sizes)
        self.tallies = tuple(tallies)
        self.names = names
        self._loops = Names([name] for name in sorts)
        self.index = {name: position for position, name in enumerate(concrete.names)}
        self._counted = [self.index[tally.part] for tally in tallies]
        self._facts: dict[Fact, tuple[int, int]] = {}
        self._said: list[Mapping[int, _Said]] = [self._learn(position) for position in range(len(concrete.names))]
        self._meanings: dict[tuple[tuple[Fact, ...], int], _Meaning] = {}
        self.threads = {name: number for number, name in enumerate(concrete.threads)}

    def _learn(self, position: int) -> Mapping[int, _Said]:
        concrete = self.concrete
        name = concrete.names[position]
        if position in self._counted:
            return {}
        found: dict[int, _Said] = {}
        mine = self.names.members(name)
        for value, word in concrete.values[position].items():
            fact = f"{name}={word}"
            if fact in self._facts:
                raise Unsuited(f"`{fact}` may be two things")
            self._facts[fact] = position, value
            others = self.names.members(word)
            passes = tuple(self._loops.members(word))
            if passes and mine:
                raise Unsuited(f"`{name}` goes through members itself")
            if value == concrete.initial[position] and set(others) <= set(mine):
                continue
            speaks = tuple(sorted({*mine, *others}))
            if mine and len(speaks) == 1:
                found[value] = _Said(self.names.anybody(fact), speaks[0], (), passes)
            else:
                found[value] = _Said(fact, None, speaks, passes)
        return found

    @cached_property
    def first(self) -> Full:
        """The first state."""
        given = tuple((*(tally.first for _ in range(self.sizes[tally.sort])), tally.at_first) for tally in self.tallies)
        return Full(self.concrete.initial, given)

    def passes(self, place: int) -> list[Member]:
        """The members that `for`s have come to whose pass a place is in."""
        return self._loops.members(self.concrete.places[place])

    # ------------------------------------------------------------ taking a state apart

    def of(self, full: Full) -> tuple[Told, dict[Member, Kind]]:
        """What a state tells, and the kinds of the other members. Raises Unsuited."""
        own: dict[Member, list[Fact]] = {}
        shared: list[Fact] = []
        links: list[tuple[Fact, tuple[Member, ...]]] = []
        loops: list[tuple[str, Member]] = []
        for position, value in enumerate(full.state):
            said = self._said[position].get(value)
            if said is None:
                continue
            if said.of is not None:
                own.setdefault(said.of, []).append(said.fact)
            elif said.links:
                links.append((said.fact, said.links))
            else:
                shared.append(said.fact)
            if said.passes:
                loops += ((self.concrete.names[position], member) for member in said.passes)
        if len({goer(who) for who, _ in loops}) < len(loops):
            raise Unsuited("a thread goes through members while it goes through members")
        self._add_tallies(full, own, shared)
        kinds = {(sort, i): self._kind(sort, i, own, loops) for sort, size in enumerate(self.sizes) for i in range(size)}
        linked = sorted({member for _, members in links for member in members})
        told = self._in_order(linked, kinds, [fact for fact, _ in links])
        return Told(tuple(sorted(shared)), *told), {member: kind for member, kind in kinds.items() if member not in linked}

    def _add_tallies(self, full: Full, own: dict[Member, list[Fact]], shared: list[Fact]) -> None:
        for tally, (*each, nobody) in zip(self.tallies, full.given, strict=True):
            for i, value in enumerate(each):
                if value != tally.first:
                    own.setdefault((tally.sort, i), []).append(f"{tally.part} given={value}")
            if nobody != tally.at_first:
                shared.append(f"{tally.part} given by nobody={nobody}")

    @staticmethod
    def _kind(sort: int, i: int, own: Mapping[Member, list[Fact]], loops: Sequence[tuple[str, Member]]) -> Kind:
        standing = [f"{PASSED if i < at else REACHED if i == at else AHEAD}{who}" for who, (of, at) in loops if of == sort]
        return Kind(sort, tuple(sorted((*own.get((sort, i), ()), *standing))))

    def _in_order(
        self, linked: Sequence[Member], kinds: Mapping[Member, Kind], links: Sequence[Fact]
    ) -> tuple[tuple[Kind, ...], tuple[Fact, ...]]:
        """Those who are told, and what is said of them and something else: in the same way whoever they are. Raises Unsuited."""
        if not linked:
            return (), ()
        alike: dict[Kind, list[Member]] = {}
        for member in linked:
            alike.setdefault(kinds[member], []).append(member)
        if prod(factorial(len(some)) for some in alike.values()) > MOST_ORDERS:
            raise Unsuited("too many members speak of each other")
        told = tuple(kind for kind in sorted(alike) for _ in alike[kind])
        seats = Told((), told, ()).places()
        found: list[tuple[Fact, ...]] = []
        for order in product(*(permutations(alike[kind]) for kind in sorted(alike))):
            new = dict(zip((member for some in order for member in some), seats, strict=True))
            found.append(tuple(sorted(self.names.renamed(fact, new) for fact in links)))
        return told, min(found)

    # ------------------------------------------------------------ putting one together

    def state(self, told: Told, line: Sequence[Sequence[Kind]], seats: Mapping[Member, Member]) -> Full:
        """The state in which members of these kinds stand in a line, by sort. `seats`: where those are who are told. Raises KeyError where
        a fact is none of this program."""
        new = list(self.concrete.initial)
        given = [list(some) for some in self.first.given]
        parts = [self._known(told.shared, -1), self._known(tuple(self.names.renamed(fact, seats) for fact in told.links), -1)]
        for sort, kinds in enumerate(line):
            for i, kind in enumerate(kinds):
                if kind.sort != sort:
                    raise KeyError(f"a member of sort {kind.sort}")
                parts.append(self._known(kind.facts, i))
        for values, shares in parts:
            for position, value in values:
                new[position] = value
            for number, i, value in shares:
                given[number][i] = value
        return Full(tuple(new), tuple(tuple(some) for some in given))

    def _known(self, facts: tuple[Fact, ...], i: int) -> _Meaning:
        """What some facts say of a member, or of nobody (-1). Raises KeyError."""
        found = self._meanings.get((facts, i))
        if found is None:
            own = [fact for fact in facts if i < 0 or not fact.startswith(STANDING)]
            shares = {fact: share for fact in own if (share := self._tallied(fact, i)) is not None}
            values = tuple(self._facts[fact if i < 0 else fact.replace(ANY, f"[{i}]")] for fact in own if fact not in shares)
            found = self._meanings[facts, i] = values, tuple(shares.values())
        return found

    def _tallied(self, fact: Fact, i: int) -> tuple[int, int, int] | None:
        """The number of the semaphore, who has given how much of it, if a fact says that. Raises KeyError."""
        part, found, value = fact.partition(" given by nobody=" if i < 0 else " given=")
        if not found:
            return None
        number = next((number for number, tally in enumerate(self.tallies) if tally.part == part), None)
        if number is None or not re.fullmatch("0|-?[1-9][0-9]*", value) or not -1 <= i < self.sizes[self.tallies[number].sort]:
            raise KeyError(fact)
        return number, i, int(value)


def goer(part: str) -> str:
    """The thread that goes through members, by the part that says how far it has come: where it stands, or where it has polled."""
    return re.split(r"\.at$|/polls\d+$", part)[0]
