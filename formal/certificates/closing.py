"""Whether a set of `Crowded` states has all that a program of any size comes to, and whether it violates anything.

In: a `Family`, such states. Out: what is wrong with them. Each state is looked at once, and nothing else is: this is no search. It shares
nothing with the engines; docs/decisions/018-family-certificates.md has the argument for why it is enough.

Of each kind a state has fewer than `many` members, and then exactly so many, or `many`, which stands for any number that is at least that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from formal.certificates.crowded import Crowded, Kind, Unsuited, in_line
from formal.certificates.each import SHOWN, problems
from formal.certificates.family import Family
from formal.certificates.roster import Roster
from formal.smt.cfg import FIRST
from formal.smt.concrete import State


@dataclass(frozen=True, slots=True)
class Step:
    """What came of a step of `thread`: another state, or a property that it violates."""

    thread: str
    after: Crowded | None
    violates: str | None = None


class Stepping:
    """The steps of all that such a state stands for."""

    def __init__(self, family: Family) -> None:
        self._family = family

    def first(self) -> Iterator[tuple[int, Crowded]]:
        """The first states, with a size that each stands for: from `many` members on they are one. Raises Unsuited."""
        for size in range(self._family.least, max(self._family.least, self._family.many) + 1):
            roster = self._family.roster(size)
            found = roster.of(roster.concrete.initial)
            if len(found.crowd) != 1 or found.told:
                raise Unsuited("members differ in the first state")
            yield size, found.cut(self._family.many)

    def shown(self, crowded: Crowded) -> tuple[Roster, State]:
        """The state with as few members as it stands for. Raises KeyError where it says what is not of this program, Unsuited."""
        roster = self._family.roster(crowded.members)
        return roster, roster.state(crowded)

    def violated(self, crowded: Crowded) -> list[str]:
        """The properties of states that it violates. Raises KeyError, Unsuited."""
        roster, state = self.shown(crowded)
        return roster.concrete.violated(state)

    def after(self, crowded: Crowded) -> Iterator[Step]:
        """What comes of the steps from it: of each thread that is told, or is no member's, and of one of each kind. Raises KeyError,
        Unsuited."""
        roster, state = self.shown(crowded)
        kinds = list(in_line(crowded))
        large = [kind for kind, count in crowded.crowd if count == self._family.many]
        instances: dict[tuple[Kind, ...], tuple[Roster, State]] = {(): (roster, state)}
        seen: set[tuple[str, Kind]] = set()
        for thread, member in enumerate(roster.member_of):
            place = roster.concrete.stands(state, thread)
            if member is not None and member >= len(crowded.told):
                role = roster.concrete.program.threads[thread].decl.name, kinds[member]
                if role in seen:
                    continue
                seen.add(role)
            if place >= FIRST:
                own = None if member is None or member < len(crowded.told) or kinds[member] not in large else kinds[member]
                for more in beside(own, large, roster.concrete.picks(place)):
                    if more not in instances:
                        larger = self._family.roster(crowded.members + len(more))
                        instances[more] = larger, larger.state(crowded, more)
                    yield from self._steps(*instances[more], roster.concrete.threads[thread])

    def _steps(self, roster: Roster, state: State, name: str) -> Iterator[Step]:
        concrete = roster.concrete
        thread = concrete.threads.index(name)
        yield from (Step(name, None, prop) for prop in concrete.faults(state, thread))
        for after in concrete.steps(state, thread):
            yield Step(name, roster.of(after).cut(self._family.many))


def beside(own: Kind | None, large: Sequence[Kind], picks: int) -> list[tuple[Kind, ...]]:
    """Of which kinds that have many members one more is to be looked at. A step is about its mover, whose kind `own` is, if that has many,
    and about as many others as it picks: beside those there may be fewer than many, or many, of each kind."""
    others = [some for count in range(picks + 1) for some in combinations_with_replacement(large, count)]
    found = others if own is None else [*others, *((own, *some) for some in others)]
    return list(dict.fromkeys(tuple(sorted(some)) for some in found))


def wrong(family: Family, states: Collection[Crowded], claimed: Collection[str], late: Callable[[], bool] = bool) -> list[str]:
    """Why these states do not show that what is claimed holds for every size: nothing if they do. `late`: whether it is time to stop.
    Raises Unsuited, Late."""
    stepping = Stepping(family)
    known = frozenset(states)
    found = [f"the first state with {family.name}={size} is not among its states" for size, first in stepping.first() if first not in known]

    def wrong_with(one: Crowded, name: str) -> Iterator[str]:
        return _wrong_with(stepping, one, name, known, claimed, family)

    return problems(states, told, wrong_with, found, late)[:SHOWN]


def _wrong_with(
    stepping: Stepping, one: Crowded, name: str, known: Collection[Crowded], claimed: Collection[str], family: Family
) -> Iterator[str]:
    if not one.members or any(not 0 < count <= family.many for _, count in one.crowd):
        yield f"{name} has no members, or more than count"
        return
    roster, state = stepping.shown(one)
    if roster.of(state) != one:
        yield f"{name} contradicts itself, or is told otherwise"
        return
    yield from (f"{name} violates {prop}" for prop in stepping.violated(one) if prop in claimed)
    for step in stepping.after(one):
        if step.violates in claimed:
            yield f"a step of {step.thread} from {name} violates {step.violates}"
        elif step.after is not None and step.after not in known:
            yield f"a step of {step.thread} from {name} leads to what is not among its states ({told(step.after)})"


def told(one: Crowded) -> str:
    """A state in a few words."""
    crowd = [f"{count} with {', '.join(kind) or 'all as at first'}" for kind, count in one.crowd]
    return "; ".join([", ".join((*one.shared, *one.links)) or "all as at first", *crowd])
