"""A search for violations that may miss some: merged steps, and of states that are the same but for names the first one only, whether or
not that loses executions; by turns the state that was found last, and two guesses at where a deadlock may be near.

In: a machine, properties, what is taken for the same. Out: executions of the program, step by step, each with what it violates. They are
not known to be the shortest. Nothing is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from formal.engines.exploration import LOOK_UP_EVERY, Exploration, steps_of
from formal.engines.looking import Looking, invariants
from formal.interp import Machine, State, Stop, Symmetry
from formal.interp.layout import FINISHED
from formal.program import Property

FIRST_EVERY: Final = 7


@dataclass(frozen=True, slots=True)
class Hunted:
    """An execution: who moves and what comes of it, step by step; who goes wrong then."""

    steps: tuple[tuple[int, State], ...]
    last: int | None


class Hunt:
    """Looks for the violations of some properties. `found`: of each the first execution."""

    def __init__(
        self, machine: Machine, properties: Iterable[Property], memory: int | None, symmetry: Symmetry | None, *, merge: bool
    ) -> None:
        asked = list(properties)
        self._machine = machine
        self._looking = Looking(machine, asked)
        self._wanted = {prop.name for prop in asked}
        self._symmetry = symmetry
        self._merging = machine.merging(invariants(asked).values()) if merge else None
        self._exploration = Exploration(machine, memory, self._merging)  # for its steps, and for what it starts from
        self._states: list[State] = []
        self._came: list[tuple[int, int]] = []  # from which state, by whom; -1: from the start
        self._known: set[State] = set()
        self._queues: tuple[list[tuple[int, ...]], ...] = ([], [], [], [])
        self._done: set[int] = set()
        self.found: dict[str, Hunted] = {}
        for state in self._exploration.states:
            self._add(state, -1, 0, 0)

    def go_on(self, most: int, expanded: int | None = None) -> None:
        """Until all is found, nothing is left, or there are so many states, or so many whose steps are known. Raises OutOfMemory."""
        while self._wanted and len(self._states) < most and (expanded is None or len(self._done) < expanded):
            number = self._next()
            if number is None:
                return
            if len(self._done) % LOOK_UP_EVERY == 0:
                self._exploration.look_at_memory()
            self._done.add(number)
            self._expand(number)

    def _next(self) -> int | None:
        """By turns one behind a state in which the most waited, one in which the most have a lock, and the last one that was found; now and
        then the first one."""
        turn = len(self._done)
        first, *others = self._queues
        others = others[turn % len(others) :] + others[: turn % len(others)]
        for queue in (first, *others) if turn % FIRST_EVERY == 0 else (*others, first):
            while queue:
                number = heappop(queue)[-1]
                if number not in self._done:
                    return number
        return None

    def _add(self, state: State, before: int, thread: int, waiting: int) -> None:
        normal = state if self._symmetry is None else self._symmetry.normal(state)
        if normal in self._known:
            return
        self._known.add(normal)
        number = len(self._states)
        self._states.append(state)
        self._came.append((before, thread))
        finished = state[: self._exploration.threads].count(FINISHED)  # they will not have a lock any more
        locked = len(self._machine.owners(state)) - finished
        ranks = ((), (-waiting, -number), (-locked, -waiting, -number), (-number,))
        for queue, rank in zip(self._queues, ranks, strict=True):
            heappush(queue, (*rank, number))

    def _expand(self, number: int) -> None:
        state = self._states[number]
        twins: Mapping[int, int] = {} if self._symmetry is None else self._symmetry.twins(state)
        steps = steps_of(state, range(self._exploration.threads), self._exploration.run_of, twins)
        ahead: list[tuple[int, State]] = []
        for thread, results in steps.taken:
            for _, after in results:
                if not isinstance(after, Stop):
                    ahead.append((thread, after))
                elif after.prop in self._wanted:
                    self._find(after.prop, number, thread)
        for name in self._looking.at(state, steps.waiting, steps.moving):
            self._find(name, number, None)
        for thread, after in ahead:
            self._add(after, number, thread, len(steps.waiting))

    # ------------------------------------------------------------ what was found

    def _find(self, name: str, number: int, last: int | None) -> None:
        self._wanted.discard(name)
        self._looking.watch(self._wanted)
        self.found[name] = Hunted(tuple(self._steps(number)), last)

    def _steps(self, number: int) -> list[tuple[int, State]]:
        merged = []
        while number >= 0:
            before, thread = self._came[number]
            merged.append((before, thread, self._states[number]))
            number = before
        found: list[tuple[int, State]] = []
        for before, thread, state in reversed(merged):
            found += self._one_by_one(before, thread, state)
        return found

    def _one_by_one(self, before: int, thread: int, state: State) -> list[tuple[int, State]]:
        if self._merging is None:
            return [] if before < 0 else [(thread, state)]
        if before < 0:
            return self._merging.from_start(self._machine.initial(), state)
        return self._merging.one_by_one(self._states[before], thread, state)
