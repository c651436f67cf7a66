"""The shortest of all lassos: no other fair execution comes back to where it was in fewer steps.

In: the steps of a graph, how soon each state is reached in which the goal is owed, and a lasso to be undercut. Out: a shorter one, and
whether none shorter still was left out. Breadth first, for each state in which a loop may begin, over states and the threads that have had
their right; a loop that would be no shorter than what is known is not followed. It must not know where the steps come from.

To find the shortest fair loop is NP-hard in the number of threads, hence the bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Final, TypeAlias

MOST: Final = 300_000  # pairs of a state and a set of threads, over all beginnings

Step: TypeAlias = tuple[int, int]  # a thread, and the state after its step
_Seen: TypeAlias = tuple[int, int, int]  # a state, the threads that have had their right, the strongly fair ones that could move


@dataclass(frozen=True, slots=True)
class Graph:
    """`steps` and `able` of a state: its steps, and the threads that can move; `strong`: the strongly fair threads."""

    steps: Callable[[int], tuple[Step, ...]]
    able: Callable[[int], Set[int]]
    strong: Set[int]


@dataclass(frozen=True, slots=True)
class Loop:
    """A fair loop from `entry` back to it, empty where nobody can move."""

    entry: int
    path: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Shorter:
    """`loop`: the one that makes the shortest lasso, None if nothing undercuts what was known. `exact`: no shorter one was left out."""

    loop: Loop | None
    exact: bool


def shorter(graph: Graph, reached: Mapping[int, int], known: int) -> Shorter:
    """A lasso of fewer than `known` steps. `reached`: where the goal is owed, and the steps that lead there, fewest first."""
    search = _Search(graph, reached)
    found: Loop | None = None
    for entry, stem in reached.items():
        if stem >= known:
            break
        path = search.loop(entry, known - stem - 1)
        if search.left <= 0:
            return Shorter(found, exact=False)
        if path is not None:
            found, known = Loop(entry, path), stem + len(path)
    return Shorter(found, exact=True)


class _Search:
    """`left`: how many pairs may still be looked at."""

    def __init__(self, graph: Graph, inside: Mapping[int, int]) -> None:
        self._graph = graph
        self._inside = inside
        self._strong = _bits(graph.strong)
        self.left = MOST

    def loop(self, entry: int, most: int) -> tuple[Step, ...] | None:
        """The shortest fair loop from `entry` of at most so many steps."""
        able = self._graph.able(entry)
        if not able:
            return ()
        start = self._arrived((entry, 0, 0))
        before: dict[_Seen, tuple[_Seen, Step] | None] = {start: None}
        level = deque([start])
        for _ in range(most):
            for _ in range(len(level)):
                here = level.popleft()
                for step in self._graph.steps(here[0]):
                    if step[1] not in self._inside:
                        continue
                    there = self._arrived((step[1], here[1] | 1 << step[0], here[2]))
                    if step[1] == entry and self._fair(there):
                        return (*_path(here, before), step)
                    if there not in before:
                        before[there] = (here, step)
                        level.append(there)
                        self.left -= 1
                if self.left <= 0:
                    return None
        return None

    def _arrived(self, seen: _Seen) -> _Seen:
        """What standing in a state adds: who cannot move there needs no step, unless it is strongly fair; that one must never be able."""
        state, right, could = seen
        able = _bits(self._graph.able(state))
        return state, right | (~able & ~self._strong), could | (able & self._strong)

    def _fair(self, seen: _Seen) -> bool:
        _, right, could = seen
        return not ~right & ~self._strong and not could & ~right


def _bits(threads: Set[int]) -> int:
    return sum(1 << thread for thread in threads)


def _path(end: _Seen, before: Mapping[_Seen, tuple[_Seen, Step] | None]) -> tuple[Step, ...]:
    steps = []
    arrival = before[end]
    while arrival is not None:
        origin, step = arrival
        steps.append(step)
        arrival = before[origin]
    return tuple(reversed(steps))
