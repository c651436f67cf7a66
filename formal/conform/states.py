"""The states that a log leaves possible, and the silent steps between them.

In: a machine and the selectors. Out: for a set of states, all that can come of it by steps that no log shows (`Closure`). A state comes
with what is known of the threads: which of the log's thread ids each one is. Must not know lines of logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from formal.conform.mapping import Name
from formal.conform.selecting import Selecting
from formal.interp import Machine, State, Stop
from formal.interp.execution import Step
from formal.interp.machine import Outcome

Bound: TypeAlias = tuple[int, ...]  # of each thread of the program, the log's id for it; UNBOUND as long as it has not shown itself
UNBOUND = -1  # no id in a log is negative; 0 may be one
REMEMBERED = 40_000  # states whose silent steps are kept


class Possible(NamedTuple):
    """One state that the log leaves possible."""

    state: State
    bound: Bound


class Edge(NamedTuple):
    """Silent steps, one but for fused ones, from one member of a closure to another, by number."""

    start: int
    steps: tuple[Step, ...]
    end: int


@dataclass(frozen=True, slots=True)
class Closure:
    """`members`: the states one started from, then what comes of them, each once; `edges` only if they were asked for."""

    members: list[Possible]
    edges: list[Edge]


class TooMany(Exception):
    """More states than there is memory for."""


class Silence:
    """The steps that a log does not show."""

    def __init__(self, machine: Machine, selecting: Selecting, most: int) -> None:
        self._machine = machine
        self._selecting = selecting
        self._threads = range(len(machine.program.threads))
        self._most = most
        self._moves: dict[State, list[tuple[tuple[Step, ...], State]]] = {}

    def forget(self) -> None:
        """Free what was kept to be quick."""
        self._moves.clear()

    def check(self, number: int) -> None:
        """Raises TooMany if there are more states than there may be."""
        if number > self._most:
            raise TooMany

    def closure(self, starts: Iterable[Possible], *, edges: bool = False) -> Closure:
        """All that can come of these without a line in the log. Raises TooMany."""
        members = list(starts)
        index = {member: number for number, member in enumerate(members)}
        found: list[Edge] = []
        for number, (state, bound) in enumerate(members):  # grows while it is gone through
            for steps, after in self._silent(state):
                member = Possible(after, bound)
                end = index.get(member)
                if end is None:
                    end = index[member] = len(members)
                    members.append(member)
                    self.check(end)
                if edges:
                    found.append(Edge(number, steps, end))
        return Closure(members, found)

    def _silent(self, state: State) -> list[tuple[tuple[Step, ...], State]]:
        """The silent steps of one state, and where they lead."""
        moves = self._moves.get(state)
        if moves is None:
            if len(self._moves) > REMEMBERED:
                self._moves.clear()
            moves = self._moves[state] = [move for thread in self._threads for move in self._of(state, thread)]
        return moves

    def _of(self, state: State, thread: int) -> Iterator[tuple[tuple[Step, ...], State]]:
        for step, after in taken(self._machine, state, thread):
            if not self._selecting.logged(state, after, thread):
                yield (step,), after
            else:
                for body in self._selecting.fused_from(state, after, thread):
                    yield from self._alone(step, after, thread, body)

    def _alone(self, first: Step, state: State, thread: int, body: Name) -> Iterator[tuple[tuple[Step, ...], State]]:
        """The thread goes on, nobody else does, until it has left the body."""
        known = {state}
        left: list[tuple[tuple[Step, ...], State]] = [((first,), state)]
        while left:
            steps, at = left.pop()
            if not self._selecting.within(body, at, thread):
                yield steps, at
                continue
            for step, after in taken(self._machine, at, thread):
                if after not in known:
                    known.add(after)
                    left.append(((*steps, step), after))


def taken(machine: Machine, state: State, thread: int) -> Iterator[tuple[Step, State]]:
    """The thread's steps that lead to a state: neither into an error nor to the end of the execution."""
    control = state[thread]
    if control < 2:  # it does not run
        return
    for choice, after in machine.run(control)(state):
        if not isinstance(after, Stop):
            yield Step(state, Outcome(thread, choice, after)), after
