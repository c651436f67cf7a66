"""The reachable states of a program, level by level.

In: a program's machine, whether quiet steps are merged with those before them, and what is taken for the same. Out: its states in order of
their distance from the start, and where each level starts. What to check on the way is the caller's business: it gets every state with the
threads that wait and move, and every step that ends in an error.
"""

from __future__ import annotations

import resource
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from formal.interp import Machine, Merging, Run, State, Stop, Symmetry
from formal.interp.landing import Result
from formal.interp.layout import FINISHED

Visit: TypeAlias = Callable[[int, State, list[int], list[int]], None]  # the state's number, the state, who waits, who moves
Err: TypeAlias = Callable[[int, int, str], None]  # the state's number, the thread, the property
LOOK_UP_EVERY: Final = 2048  # states between two looks at the memory
FIRST_PLACE: Final = FINISHED + 1  # controls below belong to threads that do not run


class Steps(NamedTuple):
    """Of one state. `waiting`: running threads that cannot move; `moving`: those that can; `taken`: of those that were looked at what comes
    of their steps."""

    waiting: list[int]
    moving: list[int]
    taken: list[tuple[int, Sequence[Result]]]


class OutOfMemory(Exception):
    """The search has taken more than it may."""


class Exploration:
    """A breadth-first search that can be resumed. `starts[k]` is the number of the first state of level k; the last level is unexpanded."""

    def __init__(
        self, machine: Machine, memory: int | None = None, merging: Merging | None = None, symmetry: Symmetry | None = None
    ) -> None:
        self.machine = machine
        self.threads = len(machine.program.threads)
        self._memory = memory
        self._runs: dict[int, Run] = {}
        self._step = machine.run if merging is None else merging.step
        self._symmetry = symmetry
        first = machine.initial()
        starts = [first] if merging is None else merging.first(first)
        self.states: list[State] = starts if symmetry is None else list(dict.fromkeys(map(symmetry.normal, starts)))
        self.index: dict[State, int] = {state: number for number, state in enumerate(self.states)}
        self.came = array("I", [0] * len(self.states))  # by state, the one that it was found behind; of those at the start nothing
        self.starts: list[int] = [0]
        self.transitions = 0

    @property
    def depth(self) -> int:
        """The level that comes next; its states are known, their steps are not."""
        return len(self.starts) - 1

    def level(self, depth: int) -> range:
        """The numbers of the states of a level that is complete."""
        end = self.starts[depth + 1] if depth + 1 < len(self.starts) else len(self.states)
        return range(self.starts[depth], end)

    @property
    def coming(self) -> int:
        """The states that there will be with the next level, if it grows as the last one has."""
        last, before = len(self.level(self.depth)), len(self.level(max(0, self.depth - 1)))
        return len(self.states) + last * last // max(1, before)

    @property
    def exhausted(self) -> bool:
        """Whether there is no state that was not expanded."""
        return not self.level(self.depth)

    def run_of(self, control: int) -> Run:
        """The step of whoever stands there."""
        run = self._runs.get(control)
        if run is None:
            run = self._runs[control] = self._step(control)
        return run

    def expand(self, visit: Visit, err: Err) -> None:
        """The next level: visits each of its states, and adds their successors. Raises OutOfMemory."""
        states, index, came, threads = self.states, self.index, self.came, range(self.threads)
        level = self.level(self.depth)
        symmetry = self._symmetry
        more = None if symmetry is None or symmetry.exact else symmetry.steps
        normal, twins_of = (_unchanged, _no_twins) if symmetry is None else (symmetry.normal, symmetry.twins)
        self.starts.append(level.stop)
        for number in level:
            if number % LOOK_UP_EVERY == 0:
                self.look_at_memory()
            state = states[number]
            steps = steps_of(state, threads, self.run_of, twins_of(state))
            for thread, results in steps.taken:
                for _, after in results if more is None else more(state, thread, self.run_of):
                    self.transitions += 1
                    if isinstance(after, Stop):
                        if after.prop is not None:
                            err(number, thread, after.prop)
                    elif after not in index and (new := normal(after)) not in index:
                        index[new] = len(states)
                        states.append(new)
                        came.append(number)
            visit(number, state, steps.waiting, steps.moving)

    def successors(self, number: int, without: Container[int] = ()) -> Iterator[tuple[int, State | Stop]]:
        """The steps of one state: who moves, and what comes of it; `without`: threads that are left out."""
        state = self.states[number]
        for thread in range(self.threads):
            control = state[thread]
            if control >= FIRST_PLACE and thread not in without:
                for _, after in self.run_of(control)(state):
                    yield thread, after

    def able(self, state: State) -> list[int]:
        """The threads that can move."""
        return [thread for thread in range(self.threads) if state[thread] >= FIRST_PLACE and self.run_of(state[thread])(state)]

    def look_at_memory(self) -> None:
        """Raises OutOfMemory if this process has ever taken more than it may."""
        look_at_memory(self._memory)


def steps_of(state: State, threads: Iterable[int], run_of: Callable[[int], Run], twins: Mapping[int, int]) -> Steps:
    """What these threads can do. `twins`: those that move as another one does, which comes before them."""
    waiting: list[int] = []
    moving: list[int] = []
    taken: list[tuple[int, Sequence[Result]]] = []
    for thread in threads:
        control = state[thread]
        if control < FIRST_PLACE:
            continue
        if thread in twins:
            (moving if twins[thread] in moving else waiting).append(thread)
            continue
        results = run_of(control)(state)
        (moving if results else waiting).append(thread)
        taken.append((thread, results))
    return Steps(waiting, moving, taken)


def look_at_memory(memory: int | None) -> None:
    """Raises OutOfMemory if this process has ever taken more than so many mebibytes."""
    if memory is not None and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > memory * 1024:
        raise OutOfMemory


def _unchanged(state: State) -> State:
    return state


def _no_twins(_: State) -> Mapping[int, int]:
    return {}
