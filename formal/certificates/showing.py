"""Few states that stand for all those in which some members are told, and the others are of some kinds.

In: a `Kindred`, what is told, who is to be there besides, and in which order. Out: a state of a small program; who may be there in that
order; whose steps there are. It must not know steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

from formal.certificates.crowded import ANY, Unsuited
from formal.certificates.kindred import Kindred, Scope
from formal.certificates.kinds import AHEAD, Kind, Member, Told
from formal.certificates.lineup import Full, Lineup, goer
from formal.smt.concrete import State

MOST_GROUPS: Final = 8  # that a step, or a property, may tell apart


@dataclass(frozen=True, slots=True)
class Role:
    """A thread: its name, if it is a member's with who that is left open; then the number of that member among those that are told and
    added, and of which kind it is, if it has to be added."""

    name: str
    number: int | None = None
    kind: Kind | None = None

    @property
    def mover(self) -> list[Kind]:
        """Who has to be added."""
        return [] if self.kind is None else [self.kind]

    def thread(self, shown: Shown) -> int:
        """Which one it is of a state that is shown."""
        return shown.lineup.threads[self.name if self.number is None else self.name.replace(ANY, f"[{shown.at[self.number][1]}]")]


@dataclass(frozen=True, slots=True)
class Order:
    """Who stands where. `next`: the one that the `for` of thread `who` goes on with; if there is none, nobody is left for it. If there is
    no `who`, nothing is said of that. `front`: who is the first one of all of a sort. Each is of a kind, or by its number a told one, or
    the mover."""

    who: str = ""
    next: Kind | int | None = None
    front: Kind | int | None = None

    @property
    def leads(self) -> list[Kind]:
        """Who has to be added for that."""
        return [one for one in (self.next, self.front) if isinstance(one, Kind)]

    def fits(self, kind: Kind, there: Sequence[Kind]) -> bool:
        """Whether one of a kind may be there. `there`: the kinds of those that are told, and of the mover."""
        if self.who and is_ahead(kind, self.who) and (self.next is None or not _behind(kind, _kind(self.next, there))):
            return False
        return self.front is None or _behind(kind, _kind(self.front, there))


def _kind(one: Kind | int, there: Sequence[Kind]) -> Kind:
    return there[one] if isinstance(one, int) else one


def _behind(kind: Kind, first: Kind) -> bool:
    return kind.sort != first.sort or kind.rank >= first.rank


NO_ORDER: Final = Order()


@dataclass(frozen=True, slots=True)
class Shown:
    """A state that is shown. `at`: where those are who are told, then those who were added; `leads`: where those are who are there for the
    order; `beside`: who was added last, if anybody was, and where that one is."""

    lineup: Lineup
    full: Full
    at: tuple[Member, ...] = ()
    leads: tuple[Member, ...] = ()
    beside: Kind | None = None

    def valued(self, values: Mapping[str, int]) -> State:
        """The state with these values of some parts."""
        new = list(self.full.state)
        for part, value in values.items():
            new[self.lineup.index[part]] = value
        return tuple(new)

    def values(self, part: str, sure: Iterable[Member], members: Iterable[Kind]) -> list[int]:
        """Whether a tallied semaphore may be zero, or more (1), where these are there for sure, and any number of these kinds besides."""
        number = next(number for number, tally in enumerate(self.lineup.tallies) if tally.part == part)
        tally, given = self.lineup.tallies[number], self.full.given[number]
        total = given[-1] + sum(given[i] for sort, i in sure if sort == tally.sort)
        others = {share(kind, part, tally.first) for kind in members if kind.sort == tally.sort}
        found = [0] if total <= 0 or any(other < 0 for other in others) else []
        return [*found, *([1] if total > 0 or any(other > 0 for other in others) else [])]


class Showing:
    """Of one program."""

    def __init__(self, kindred: Kindred) -> None:
        self.kindred = kindred
        self.sorts = range(len(kindred.sorts))

    def shown(self, told: Told, more: Sequence[Kind], order: Order = NO_ORDER, fill: Collection[Kind] = ()) -> Shown | None:
        """The state with those that are told, and others of these kinds, in that order; where one of a sort has to be there besides, of one
        of the kinds in `fill`. None if there is no such state. Raises KeyError, Unsuited."""
        leads = order.leads
        everybody = [*told.told, *more, *leads]
        first = {one for one in (order.next, order.front) if isinstance(one, int)} | {
            len(everybody) - 1 - back for back in range(len(leads))
        }
        lines: list[list[tuple[int, bool, int, Kind]]] = [[] for _ in self.sorts]
        for number, kind in enumerate(everybody):
            lines[kind.sort].append((kind.rank, number not in first, number, kind))
        for sort, line in enumerate(lines):
            if not line:
                filler = next((kind for kind in fill if kind.sort == sort), None)
                if filler is None:
                    return None
                line.append((filler.rank, True, len(everybody), filler))
            line.sort(key=lambda one: one[:3])
        at = {number: (sort, i) for sort, line in enumerate(lines) for i, (_, _, number, _) in enumerate(line)}
        seats = {place: at[number] for number, place in enumerate(told.places())}
        lineup = self.kindred.lineup(tuple(map(len, lines)))
        full = lineup.state(told, [[kind for *_, kind in line] for line in lines], seats)
        places = tuple(at[number] for number in range(len(everybody)))
        added = len(told.told) + len(more)
        return Shown(lineup, full, places[:added], places[added:], more[-1] if more else None)

    def consistent(self, told: Told, kinds: Sequence[Kind]) -> bool:
        """Whether there is a state that tells this, with one of each of the kinds, and others of its kinds where there have to be more.
        Raises KeyError, Unsuited."""
        for more in [[], *([kind] for kind in kinds)]:
            shown = self.shown(told, more, fill=kinds)
            if shown is None:
                return False
            there, others = shown.lineup.of(shown.full)
            if there != told or any(others.get(at) != kind for at, kind in zip(shown.at[len(told.told) :], more, strict=True)):
                return False
        return True

    # ------------------------------------------------------------ threads

    @cached_property
    def families(self) -> tuple[list[str], list[list[str]]]:
        """The threads that are no member's, and by sort the families of those that are."""
        names = self.kindred.names
        shared: list[str] = []
        families: list[dict[str, None]] = [{} for _ in self.sorts]
        for name in self.kindred.sample.threads:
            members = names.members(name)
            if members:
                families[members[0][0]][names.anybody(name)] = None
            else:
                shared.append(name)
        return shared, [list(some) for some in families]

    def roles(self, told: Told, kinds: Iterable[Kind]) -> Iterator[Role]:
        """The threads whose steps are looked at."""
        shared, families = self.families
        yield from (Role(name) for name in shared)
        for number, kind in enumerate(told.told):
            yield from (Role(family, number) for family in families[kind.sort])
        for kind in kinds:
            yield from (Role(family, len(told.told), kind) for family in families[kind.sort])

    def scope(self, role: Role, shown: Shown) -> Scope:
        """What the steps of a thread from where it stands may be about."""
        thread = role.thread(shown)
        return self.kindred.scope(shown.lineup, thread, shown.lineup.concrete.stands(shown.full.state, thread))

    # ------------------------------------------------------------ groups

    def looked_at(self, sort: int, cells: Iterable[str]) -> bool:
        """Whether any of these parts are of members of that sort."""
        return any(self.kindred.names.sort_of(cell) == sort for cell in cells)

    def choices(self, kinds: Sequence[Kind], cells: Collection[str]) -> Iterator[tuple[list[Kind], list[Kind]]]:
        """Of which groups somebody may be there, of those that can be told apart by these parts: one of each, and all kinds in them, and
        all those of sorts that are not looked at. Raises Unsuited."""
        looked = [sort for sort in self.sorts if self.looked_at(sort, cells)]
        groups = list(grouped([kind for kind in kinds if kind.sort in looked], cells).values())
        rest = [kind for kind in kinds if kind.sort not in looked]
        if len(groups) > MOST_GROUPS:
            raise Unsuited(f"a step may tell more than {MOST_GROUPS} groups apart")
        for count in range(len(groups) + 1):
            for some in combinations(groups, count):
                yield [group[0] for group in some], [*(kind for group in some for kind in group), *rest]


def grouped(kinds: Iterable[Kind], cells: Collection[str]) -> dict[tuple[int, tuple[str, ...]], list[Kind]]:
    """Those of one sort together that these parts do not tell apart."""
    found: dict[tuple[int, tuple[str, ...]], list[Kind]] = {}
    for kind in kinds:
        told = tuple(fact for fact in kind.facts if fact.partition("=")[0] in cells)
        found.setdefault((kind.sort, told), []).append(kind)
    return found


def is_ahead(kind: Kind, thread: str) -> bool:
    """Whether a thread goes through members, and has one of that kind still before it."""
    return any(fact.startswith(AHEAD) and goer(fact.removeprefix(AHEAD)) == thread for fact in kind.facts)


def share(kind: Kind, part: str, first: int) -> int:
    """What one of a kind has given of a tallied semaphore."""
    mark = f"{part} given="
    return next((int(fact.removeprefix(mark)) for fact in kind.facts if fact.startswith(mark)), first)
