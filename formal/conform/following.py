"""The question itself: is there an execution that shows exactly these events, in this order?

In: a machine, a mapping, and events, one after the other. Out: the set of states that the events so far leave possible; it is empty from
the first event on that no execution shows. This is the subset construction: a set is closed under silent steps, then each member makes
the event's step. Sets are kept by number and so is what each event makes of them, so that what repeats in a log costs two look-ups.
Exact: nothing is sampled, merged or approximated. Must not know what is told of the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from formal.conform.mapping import Groups, Mapping
from formal.conform.selecting import Selecting
from formal.conform.states import UNBOUND, Bound, Closure, Possible, Silence, TooMany, taken
from formal.interp import Machine, State
from formal.interp.execution import Step

EMPTY: Final = 0  # the number of the set without members
KEPT: Final = 60_000  # states in all sets together; beyond, what was kept is forgotten


class Meaning(NamedTuple):
    """One way to read a line: a rule, and what its expression has captured there."""

    rule: int
    groups: Groups


@dataclass(frozen=True, slots=True)
class Seen:
    """What a line shows, without what does not matter: whose it is, and the ways to read it (none: no rule says what it is)."""

    thread: int
    meanings: tuple[Meaning, ...]


class Crossing(NamedTuple):
    """From a member of the closure (by number) to where the event leads. `step` is None where the thread only stands somewhere."""

    start: int
    step: Step | None
    end: Possible
    rule: int


class Following:
    """The sets of states of one machine under one mapping; several logs share what was learned."""

    def __init__(self, machine: Machine, mapping: Mapping, most: int) -> None:
        self.machine = machine
        self.mapping = mapping
        self.selecting = Selecting(machine, mapping)
        self._silence = Silence(machine, self.selecting, most)
        self._threads = range(len(machine.program.threads))
        self._sets: list[frozenset[Possible]] = [frozenset()]
        self._numbers: dict[frozenset[Possible], int] = {frozenset(): EMPTY}
        self._after: dict[tuple[int, int], int] = {}
        self._closures: dict[int, Closure] = {}
        self._seen: dict[Seen, int] = {}
        self._kinds: list[Seen] = []
        self._kept = 0
        self.forgotten = 0  # how often what was kept was forgotten: numbers given before mean nothing then
        self.largest = 0

    # ------------------------------------------------------------ sets

    def start(self) -> int:
        """The set that a log begins in. Raises TooMany."""
        unbound: Bound = (UNBOUND,) * len(self._threads)
        first = self.machine.initial()
        if self.mapping.start == "initial":
            return self._number(frozenset((Possible(first, unbound),)))
        return self._number(frozenset(Possible(state, unbound) for state in self._reachable()))

    def _reachable(self) -> Iterable[State]:
        left = [self.machine.initial()]
        known = dict.fromkeys(left)
        while left:
            state = left.pop()
            for thread in self._threads:
                for _, after in taken(self.machine, state, thread):
                    if after not in known:
                        known[after] = None
                        left.append(after)
            self._silence.check(len(known))
        return known

    def members(self, number: int) -> frozenset[Possible]:
        """The states of a set."""
        return self._sets[number]

    def _number(self, members: frozenset[Possible]) -> int:
        number = self._numbers.get(members)
        if number is None:
            number = self._numbers[members] = len(self._sets)
            self._sets.append(members)
            self._kept += len(members)
            self.largest = max(self.largest, len(members))
        return number

    def closure(self, number: int, *, edges: bool = False) -> Closure:
        """The set with all that silent steps make of it. Raises TooMany."""
        if edges:
            return self._silence.closure(self._sets[number], edges=True)
        found = self._closures.get(number)
        if found is None:
            found = self._closures[number] = self._silence.closure(self._sets[number])
            self._kept += len(found.members)
        return found

    # ------------------------------------------------------------ events

    def kind(self, seen: Seen) -> int:
        """The number of what a line shows."""
        number = self._seen.get(seen)
        if number is None:
            number = self._seen[seen] = len(self._kinds)
            self._kinds.append(seen)
        return number

    def seen(self, kind: int) -> Seen:
        """What that number stands for."""
        return self._kinds[kind]

    def after(self, number: int, kind: int) -> int:
        """The set behind the event; EMPTY if no execution shows it there. Raises TooMany."""
        found = self._after.get((number, kind))
        if found is None:
            ends = frozenset(crossing.end for crossing in self.crossings(self.closure(number), self._kinds[kind]))
            found = self._after[number, kind] = self._number(ends)
        return found

    def crossings(self, closure: Closure, seen: Seen) -> Iterator[Crossing]:
        """Every way in which a member of the closure shows the event."""
        for number, member in enumerate(closure.members):
            for thread in self.could_be(seen.thread, member.bound):
                yield from self._of(number, member, thread, seen)

    def could_be(self, thread_id: int, bound: Bound) -> Iterable[int]:
        """The threads that a thread id may stand for."""
        if thread_id in bound:
            return (bound.index(thread_id),)
        return [thread for thread in self._threads if bound[thread] == UNBOUND]

    def _of(self, number: int, member: Possible, thread: int, seen: Seen) -> Iterator[Crossing]:
        state, bound = member
        known = bound if bound[thread] != UNBOUND else (*bound[:thread], seen.thread, *bound[thread + 1 :])
        here = [meaning for meaning in seen.meanings if self.selecting.stands(*meaning, state, thread)]
        moving = [meaning for meaning in here if self.mapping.rules[meaning.rule].moves]
        for meaning in here:
            if not self.mapping.rules[meaning.rule].moves:
                yield Crossing(number, None, Possible(state, known), meaning.rule)
        if not moving:
            return
        for step, after in taken(self.machine, state, thread):
            for meaning in moving:
                if self.selecting.steps_so(*meaning, state, after, thread):
                    yield Crossing(number, step, Possible(after, known), meaning.rule)

    def make_room(self, number: int) -> int:
        """Forget all sets but this one, if they have become too many; its number from now on."""
        if self._kept <= KEPT:
            return number
        members = self._sets[number]
        self._sets, self._numbers = [frozenset()], {frozenset(): EMPTY}
        self._after.clear()
        self._closures.clear()
        self._silence.forget()
        self._kept = 0
        self.forgotten += 1
        return self._number(members)


__all__ = ["EMPTY", "Crossing", "Following", "Meaning", "Seen", "TooMany"]
