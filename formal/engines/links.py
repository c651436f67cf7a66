"""Steps of a search in which few members are told: what comes of one, and which may be taken at once, whoever else there is.

In: a step between states that are shown, the kinds of those who may be there besides. Out: what the state behind it tells; the next step of
the same thread as a `Link`, if it is quiet; and whether more kinds would be in its way. Must not know how states are searched. See
docs/decisions/016-company.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from formal.engines.exploration import FIRST_PLACE
from formal.interp import Companies, Kind, Merging, Shown, State, Turn


@dataclass(frozen=True, slots=True)
class Link:
    """A quiet step within a merged one: nobody else may be in its way. `at`: an element of each sort that is not told; `lets`: whether one
    of a kind is not in its way, as far as that was asked; `passes`: the same of a thread that stands somewhere."""

    before: State
    thread: int
    ends: tuple[State, ...]
    at: tuple[int, ...]
    lets: dict[Kind, bool] = field(default_factory=dict)
    passes: dict[tuple[int, int], bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Came:
    """What comes of a step, whoever else there is. `after`: the state that is shown, in which what was given or taken counts for somebody;
    `told`: what it tells; `kinds`: those of the others who are shown; `turn`: what becomes of those who are not; `overflows`: a tallied
    semaphore may be beyond its bound; `link`: the thread's next step, if it is quiet as far as those go who are shown."""

    after: State
    told: State
    kinds: tuple[Kind, ...]
    turn: Turn | None
    overflows: bool
    link: Link | None


class Links:
    """Of one search. `merging`: what quiet steps are, if any are taken at once."""

    def __init__(self, companies: Companies, merging: Merging | None) -> None:
        self._companies = companies
        self._merging = merging
        self._came: dict[tuple[State, int, State], Came] = {}

    def came(self, before: State, thread: int, after: State) -> Came:
        """What comes of a thread's step: asked for anew whenever there are more kinds, which make no difference to it. Raises Entangled."""
        key = (before, thread, after)
        found = self._came.get(key)
        if found is None:
            after = self._companies.settled(before, thread, after)
            told, there = self._companies.take_apart(after)
            kinds = tuple(dict.fromkeys(there.others.values()))
            turn = self._companies.turn(before, after, told)
            found = Came(after, told, kinds, turn, self._companies.overflows(there), self._next(after, thread, there))
            self._came[key] = found
        return found

    def _next(self, state: State, thread: int, there: Shown) -> Link | None:
        """The next step of the thread, if it is quiet as far as those go who are shown."""
        control = state[thread]
        if self._merging is None or control < FIRST_PLACE:
            return None
        about = self._companies.about(control)
        own = self._companies.element_of.get(thread)
        if about.takes or any(element in there.others and element != own for element in about.elements):
            return None
        ends = self._merging.alone(state, thread)
        if ends is None or any(self._companies.loops(end[thread]) != self._companies.loops(control) for end in ends):
            return None
        sorts = range(len(self._companies.each))
        free = [next((i for sort, i in there.others if sort == number and (sort, i) != own), -1) for number in sorts]
        return Link(state, thread, tuple(ends), tuple(free))

    def lets(self, link: Link, kinds: Iterable[Kind]) -> bool:
        """Whether nobody of these kinds is in the way of a quiet step."""
        for kind in kinds:
            lets = link.lets.get(kind)
            if lets is None:
                lets = link.lets[kind] = self._lets(link, kind)
            if not lets:
                return False
        return True

    def _lets(self, link: Link, kind: Kind) -> bool:
        at = link.at[kind.sort]
        if at < 0 or self._merging is None:
            return False
        company = self._companies.each[kind.sort]
        cells = company.cells_at(at, kind.cells)
        return all(self._passes(link, other, cells[offset]) for offset, other in zip(company.controls, company.members[at], strict=True))

    def _passes(self, link: Link, other: int, control: int) -> bool:
        """Whether a thread is not in the way if it stands there: many kinds have one there."""
        found = link.passes.get((other, control))
        if found is None:
            assert self._merging is not None
            found = link.passes[other, control] = self._merging.lets(link.before, link.thread, link.ends, other, control)
        return found
