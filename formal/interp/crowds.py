"""States that stand for any number of alike elements.

In: states of a program with M elements of a sort. Out: of each step the states that stand for what may come of it in a program of the same
text with M elements or more. See docs/decisions/009-families.md. Must not know searches.

Elements that can be exchanged without changing the state are a *crowd*. From `many` members on, a crowd stands for one of any size that
is at least that: a state stands for all that it becomes when members are added to such crowds. In the normal form each of them has `many`
members, but for one that has all those that are left over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from formal.interp.forms import Form, Key
from formal.interp.layout import State
from formal.program import BhDecl

Crowd: TypeAlias = tuple[int, ...]  # elements, in order
Way: TypeAlias = dict[int, int]  # how many come to each crowd, by its number
Told: TypeAlias = tuple[list[Key], set[int]]  # as `Form.told` has it
MANY: Final = -1


class TooFew(Exception):
    """This many elements are not enough to stand for more of them."""


class Entangled(Exception):
    """Something is said of an element alone that is in a crowd, or of more of a crowd at once than was allowed for."""


@dataclass(frozen=True, slots=True)
class Part:
    """A crowd of the state after a step, and how many of it are meant: MANY if at least `many`."""

    members: Crowd
    count: int


class Crowds:
    """Those of one sort. `many` and `single`: see `Countable`."""

    def __init__(self, form: Form, many: int, single: int) -> None:
        self._form = form
        self._many = many
        self._single = single
        self._size = form.sort.size
        arrays = [array for array in form.sort.arrays if isinstance(array, BhDecl)]
        self._taken = [(slot, element) for element in range(self._size) for slot in form.slots(arrays, element)]
        self._last: tuple[State, list[Crowd]] = ((), [])

    def first(self, state: State) -> State:
        """What stands for the first state, in which all members are alike. Raises TooFew, Entangled."""
        told = self._form.told(state)
        crowds = self._crowds(state, told)
        if len(crowds) > 1:
            raise Entangled
        found = None if self._size < self._many else self._normal(state, told[0], [Part(crowds[0], MANY)])
        if found is None:
            raise TooFew
        return found

    def after(self, before: State, concerned: Collection[int], after: State) -> list[State]:
        """What stands for all that may come of steps from what `before` stands for, which are about these elements, each by itself. Raises
        TooFew, Entangled."""
        told = self._form.told(after)
        now = self._crowds(after, told)
        home = {element: number for number, crowd in enumerate(now) for element in crowd}
        ways = [self._ways(crowd, concerned, home) for crowd in self._crowds_of(before)]
        found: dict[State, None] = {}
        for way in product(*ways):
            counts = [0] * len(now)
            for coming in way:
                for number, count in coming.items():
                    counts[number] = MANY if MANY in (count, counts[number]) else self._told(counts[number] + count)
            state = self._normal(after, told[0], [Part(crowd, count) for crowd, count in zip(now, counts, strict=True)])
            if state is not None:
                found[state] = None
        return list(found)

    def alike(self, state: State) -> dict[int, int]:
        """Of the threads that move as another one does, which one."""
        return {
            thread: other
            for crowd in self._crowds_of(state)
            for element in crowd[1:]
            for thread, other in zip(self._form.members(element), self._form.members(crowd[0]), strict=True)
        }

    def concerned(self, before: State, mover: int, after: State) -> set[int]:
        """The elements that a step is about, each by itself: the mover's own, and the one whose bottom half it has taken."""
        return {self._form.images.element[mover], *[i for slot, i in self._taken if after[slot] < before[slot]]}

    def _told(self, members: int) -> int:
        return MANY if members >= self._many else members

    # ------------------------------------------------------------ crowds

    def _crowds_of(self, state: State) -> list[Crowd]:
        """Its crowds, which are asked for more than once."""
        if state is not self._last[0]:
            self._last = (state, self._crowds(state, self._form.told(state)))
        return self._last[1]

    def _crowds(self, state: State, told: Told) -> list[Crowd]:
        """All elements; those that can be exchanged are together."""
        keys, apart = told
        found: list[tuple[Key, list[int]]] = []
        for element in range(self._size):
            for key, crowd in found:
                plain = element not in apart and crowd[0] not in apart
                if key == keys[element] and (plain or self._exchangeable(state, crowd[0], element)):
                    crowd.append(element)
                    break
            else:
                found.append((keys[element], [element]))
        return [tuple(crowd) for _, crowd in found]

    def _exchangeable(self, state: State, one: int, other: int) -> bool:
        return self._form.permuted(state, self._form.swap(one, other)) == state

    def _ways(self, crowd: Crowd, concerned: Collection[int], home: dict[int, int]) -> list[Way]:
        """Where the members of a crowd may have come to. What was done is about few of them: any others that are still together may be the
        rest, of which there may be more, or fewer."""
        shares: dict[int, list[int]] = {}
        for element in crowd:
            shares.setdefault(home[element], []).append(element)
        seen = {number: len(share) for number, share in shares.items()}
        if len(crowd) < self._many:
            return [seen]
        ways: list[Way] = []
        for number, share in shares.items():
            rest = sum(element not in concerned for element in share)
            single = len(crowd) - rest
            if rest and single <= self._single:
                extra = len(share) - rest
                ways += [{**seen, number: left + extra} for left in range(self._many - single, self._many)]
                ways.append({**seen, number: MANY})
        if not ways:
            raise Entangled
        return ways

    # ------------------------------------------------------------ normal forms

    def _normal(self, state: State, keys: Sequence[Key], parts: Sequence[Part]) -> State | None:
        """The state with as many members in each crowd as the normal form has; None if none with M elements or more is meant."""
        needed = sum(self._many if part.count == MANY else part.count for part in parts)
        left = self._size - needed
        if left < 0:
            raise TooFew
        largest = min((part for part in parts if part.count == MANY), key=lambda part: keys[part.members[0]], default=None)
        if left and largest is None:
            return None
        wanted = [(part, self._many + (left if part is largest else 0) if part.count == MANY else part.count) for part in parts]
        spare = [element for part, count in wanted for element in part.members[count:]]
        for part, count in wanted:
            for _ in range(count - len(part.members)):
                state = self._become(state, spare.pop(), part.members[0])
        order = self._form.order(state)
        return state if order is None else self._form.permuted(state, order)

    def _become(self, state: State, element: int, model: int) -> State:
        """The state with one element made like another. Raises Entangled if something is said of either alone."""
        form = self._form
        swapped = form.permuted(state, form.swap(element, model))
        new = list(state)
        own = form.cells(element)
        for slot in own:
            new[slot] = swapped[slot]
        for slot in form.sets:
            if slot not in own:
                for thread, other in zip(form.members(element), form.members(model), strict=True):
                    there = new[slot] >> other & 1 if slot not in form.cells(model) else 0
                    new[slot] = new[slot] & ~(1 << thread) | there << thread
        found = tuple(new)
        if not self._exchangeable(found, element, model):
            raise Entangled
        return found


class Counting:
    """Several sorts at once."""

    def __init__(self, crowds: Sequence[Crowds], many: int) -> None:
        self._crowds = crowds
        self.many = many

    def first(self, state: State) -> State:
        """As of one sort, of each after the other."""
        for crowds in self._crowds:
            state = crowds.first(state)
        return state

    def alike(self, state: State) -> dict[int, int]:
        """Of the threads that move as another one does, which one."""
        return {thread: other for crowds in self._crowds for thread, other in crowds.alike(state).items()}

    def after(self, before: State, steps: Iterable[tuple[State, int, State]], after: State) -> list[State]:
        """As of one sort, of each after the other. `steps`: those from the one state to the other, with who took each."""
        told = list(steps)
        states = [after]
        for crowds in self._crowds:
            concerned = set().union(*(crowds.concerned(*step) for step in told))
            states = [found for one in states for found in crowds.after(before, concerned, one)]
        return states
