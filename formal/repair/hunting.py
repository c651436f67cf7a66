"""A violation that a program has: the first that comes.

In: a program. Out: a shortest run that ends in a violation. Liveness is not looked at: it is left to the engines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from formal.interp import Machine, State, Stop
from formal.program import Program

RUNNING: Final = 2  # controls below belong to threads that do not run


@dataclass(frozen=True, slots=True)
class Run:
    """The violation `prop` at the end of `moves`: who moved, and from which place, a statement and its phase. `waiting`: where it is a
    deadlock, who has to wait then."""

    prop: str
    moves: tuple[tuple[int, tuple[int, str]], ...]
    waiting: tuple[int, ...] = ()


class TooMany(Exception):
    """There are more states than are looked at."""


def hunt(program: Program, states: int) -> Run | None:
    """A shortest run to a violation; None if there is none. Raises TooMany where there are more than about so many states."""
    return _Hunt(program).run(states)


class _Hunt:
    def __init__(self, program: Program) -> None:
        self._machine = machine = Machine(program)
        self._threads = range(len(program.threads))
        self._invariants = [
            (prop.name, machine.condition(prop.condition))
            for prop in program.properties
            if prop.kind == "invariant" and prop.condition is not None
        ]
        self._deadlocks = [prop.name for prop in program.properties if prop.kind == "deadlock"]
        self._before: dict[State, tuple[State, int] | None] = {}

    def run(self, states: int) -> Run | None:
        """Level by level."""
        level = [self._machine.initial()]
        self._before = dict.fromkeys(level)
        while level:
            if len(self._before) >= states:
                raise TooMany
            ahead: list[State] = []
            for state in level:
                found = self._look(state, ahead)
                if found is not None:
                    return found
            level = ahead
        return None

    def _look(self, state: State, ahead: list[State]) -> Run | None:
        for name, holds in self._invariants:
            if not holds(state):
                return self._told(name, state, None)
        waiting: list[int] = []
        moving: list[int] = []
        for thread in self._threads:
            if state[thread] < RUNNING:
                continue
            results = self._machine.run(state[thread])(state)
            (moving if results else waiting).append(thread)
            for _, after in results:
                if isinstance(after, Stop):
                    if after.prop is not None:
                        return self._told(after.prop, state, thread)
                elif after not in self._before:
                    self._before[after] = state, thread
                    ahead.append(after)
        dead = self._machine.deadlocked(state, waiting, moving, self._deadlocks) if waiting and self._deadlocks else []
        return replace(self._told(dead[0], state, None), waiting=tuple(waiting)) if dead else None

    def _told(self, prop: str, state: State, last: int | None) -> Run:
        moves = [] if last is None else [self._move(state, last)]
        while (before := self._before[state]) is not None:
            state, thread = before
            moves.append(self._move(state, thread))
        return Run(prop, tuple(reversed(moves)))

    def _move(self, state: State, thread: int) -> tuple[int, tuple[int, str]]:
        place = self._machine.place(state, thread)
        assert place is not None
        return thread, (place.info.uid, place.phase)
