"""Semaphores whose bound grows with the elements of a sort: who has given how much.

In: semaphores of which the bound, and the first value, is so much for each element and so much besides. Out: slots beyond those of the
program, in which a state says how much of the value comes from each element (what is taken by its threads, or for it, comes off), and how
much from nobody; and from that, what the value may be. The semaphores' own slots say nothing then. Must not know steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from formal.interp.crowds import Entangled
from formal.interp.layout import OUTSIDE, State

MOST: Final = 3  # more than a share, or less than none, by so much: it would go on for ever


@dataclass(frozen=True, slots=True)
class Shared:
    """One such semaphore: its slot, the number of the sort, and what its bound and its first value are: so much for each element, and so
    much besides."""

    slot: int
    sort: int
    each: int
    besides: int
    first: int
    at_first: int


class Tallies:
    """Of the semaphores of one program. `length`: of its states; `sizes`: elements of each sort."""

    def __init__(self, semaphores: Sequence[Shared], length: int, sizes: Sequence[int]) -> None:
        self.slots = {one.slot: one for one in semaphores}
        self._start: dict[int, int] = {}
        for one in semaphores:
            self._start[one.slot] = length
            length += sizes[one.sort] + 1
        self._sizes = sizes

    def start(self, slot: int) -> int:
        """Where it is said what the first element has given."""
        return self._start[slot]

    def more(self, sort: int) -> list[list[int]]:
        """By element of a sort, its slots beyond those of the program."""
        mine = [self._start[one.slot] for one in self.slots.values() if one.sort == sort]
        return [[start + i for start in mine] for i in range(self._sizes[sort])]

    def first(self, state: State) -> State:
        """The first state, with what each has given."""
        new = list(state)
        for one in self.slots.values():
            new += [one.first] * self._sizes[one.sort]
            new.append(one.at_first)
            new[one.slot] = 0
        return tuple(new)

    def settled(self, before: State, elements: Sequence[int], after: State) -> State:
        """The state after one step, in which what was given or taken counts for these elements, one of each sort (OUTSIDE: for nobody).
        Raises Entangled where somebody has given more and more."""
        new: list[int] | None = None
        for slot, one in self.slots.items():
            if before[slot] != after[slot]:
                new = list(after) if new is None else new
                place = self._start[slot] + (self._sizes[one.sort] if elements[one.sort] == OUTSIDE else elements[one.sort])
                new[place] += after[slot] - before[slot]
                new[slot] = before[slot]
                if not -MOST <= new[place] <= max(one.each, one.besides) + MOST:
                    raise Entangled
        return after if new is None else tuple(new)

    def cleared(self, state: State) -> State:
        """The state with nothing said in the semaphores' own slots."""
        return self._put(state, dict.fromkeys(self.slots, 0))

    def given(self, state: State, slots: Iterable[int], sums: Mapping[int, tuple[int, bool, bool]]) -> Iterator[State]:
        """The state with each of the values that these semaphores may have, as far as they can be told: zero, or more."""
        for values in product(*([(slot, value) for value in _values(*sums[slot])] for slot in slots)):
            yield self._put(state, dict(values))

    def _put(self, state: State, values: Mapping[int, int]) -> State:
        new = list(state)
        for slot, value in values.items():
            new[slot] = value
        return tuple(new)

    def sums(
        self, state: State, told: Sequence[Sequence[int]], others: Sequence[Mapping[int, Iterable[int]]]
    ) -> dict[int, tuple[int, bool, bool]]:
        """By semaphore, what nobody and the told elements have given, and whether others may have given more, or less than nothing. `told`:
        by sort; `others`: by sort and semaphore, what those have given of whom there may be any number."""
        found: dict[int, tuple[int, bool, bool]] = {}
        for slot, one in self.slots.items():
            start = self._start[slot]
            sure = state[start + self._sizes[one.sort]] + sum(state[start + i] for i in told[one.sort])
            shares = set(others[one.sort].get(slot, ()))
            found[slot] = (sure, any(share > 0 for share in shares), any(share < 0 for share in shares))
        return found

    def overflow(self, state: State, told: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> bool:
        """Whether a value may be beyond its bound. `others`: by sort, elements in the place of which there may be any number."""
        for slot, one in self.slots.items():
            start = self._start[slot]
            sure = state[start + self._sizes[one.sort]] + sum(state[start + i] - one.each for i in told[one.sort])
            if sure > one.besides or any(state[start + i] > one.each for i in others[one.sort]):
                return True
        return False


def _values(sure: int, more: bool, less: bool) -> tuple[int, ...]:
    return tuple(value for value, may in ((0, sure <= 0 or less), (1, sure > 0 or more)) if may)
