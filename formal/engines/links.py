"""Quiet steps of a search in which few members are told: those that may be taken at once, whoever else there is.

In: a state that is shown, the thread that has moved, the kinds of those who may be there besides. Out: its next step as a `Link`, if it is
quiet; and whether more kinds would be in its way. Must not know how states are searched. See docs/decisions/016-company.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from formal.engines.exploration import FIRST_PLACE
from formal.interp import Companies, Kind, Merging, Shown, State


@dataclass(frozen=True, slots=True)
class Link:
    """A quiet step within a merged one: nobody else may be in its way. `at`: an element of each sort that is not told."""

    before: State
    thread: int
    ends: tuple[State, ...]
    at: tuple[int, ...]


class Links:
    """Of one search. `merging`: what quiet steps are."""

    def __init__(self, companies: Companies, merging: Merging) -> None:
        self._companies = companies
        self._merging = merging

    def next(self, state: State, thread: int, there: Shown, kinds: Sequence[Kind]) -> Link | None:
        """The next step of the thread, if it is quiet whoever else of these kinds there is."""
        control = state[thread]
        if control < FIRST_PLACE:
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
        link = Link(state, thread, tuple(ends), tuple(free))
        shown = set(there.others.values())
        return link if self.lets(link, [kind for kind in kinds if kind not in shown]) else None

    def lets(self, link: Link, kinds: Iterable[Kind]) -> bool:
        """Whether nobody of these kinds is in the way of a quiet step."""
        for kind in kinds:
            at = link.at[kind.sort]
            if at < 0:
                return False
            company = self._companies.each[kind.sort]
            cells = company.cells_at(at, kind.cells)
            for offset, other in zip(company.controls, company.members[at], strict=True):
                if not self._merging.lets(link.before, link.thread, link.ends, other, cells[offset]):
                    return False
        return True
