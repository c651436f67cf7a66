"""The best way to a violation: of the fewest steps the one with the fewest context switches.

In: an exploration, and the places of a violation in one of its levels. Out: a path. Dynamic programming over (state, thread that moved
last), forward over the levels, as far as violations ask for; predecessors are stored, successors computed once more.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

from formal.engines.exploration import Exploration
from formal.interp import Stop

FAR: Final = 0xFFFFFFFF  # more context switches than any path has


class Shortest:
    """Grows with the levels. For state s and last mover t, at s * threads + t: the fewest switches, and the state and mover before."""

    def __init__(self, exploration: Exploration) -> None:
        self._exploration = exploration
        self._threads = exploration.threads
        self._done = 0  # the last level that has its figures
        self._switches = array("I", [0] * self._threads)  # whoever moves first has not switched
        self._before = array("I", [0] * self._threads)
        self._mover = array("H", [0] * self._threads)

    def to_state(self, numbers: Iterable[int], depth: int) -> list[tuple[int, int]]:
        """The best path to one of these states of level `depth`: thread and state after it, step by step."""
        self._reach(depth)
        best = min(numbers, key=lambda number: (min(self._row(number)), number))
        if depth == 0:
            return []
        row = self._row(best)
        return self._path(best, row.index(min(row)), depth)

    def to_step(self, steps: Iterable[tuple[int, int]], depth: int) -> tuple[list[tuple[int, int]], int]:
        """The best path to a state of level `depth` in which a thread makes one of these (state, thread) steps; and that thread."""
        self._reach(depth)
        number, thread = min(steps, key=lambda step: (self._with(*step)[0], step))
        return (self._path(number, self._with(number, thread)[1], depth) if depth else []), thread

    def _row(self, number: int) -> array[int]:
        return self._switches[number * self._threads : (number + 1) * self._threads]

    def _with(self, number: int, thread: int) -> tuple[int, int]:
        """The fewest switches when `thread` moves next, and who moved before it then."""
        row = self._row(number)
        best = min(row)
        return (row[thread], thread) if row[thread] <= best else (best + 1, row.index(best))

    def _path(self, number: int, mover: int, depth: int) -> list[tuple[int, int]]:
        path = []
        for _ in range(depth):
            path.append((mover, number))
            place = number * self._threads + mover
            number, mover = self._before[place], self._mover[place]
        path.reverse()
        return path

    def _reach(self, depth: int) -> None:
        """Figures for all levels up to this one. Raises OutOfMemory."""
        while self._done < depth:
            self._exploration.look_at_memory()
            self._advance(self._done)
            self._done += 1

    def _advance(self, depth: int) -> None:
        exploration, threads = self._exploration, self._threads
        ahead = exploration.level(depth + 1)
        self._switches.extend([FAR] * (len(ahead) * threads))
        self._before.extend([0] * (len(ahead) * threads))
        self._mover.extend([0] * (len(ahead) * threads))
        for number in exploration.level(depth):
            for thread, after in exploration.successors(number):
                if isinstance(after, Stop) or (target := exploration.index.get(after)) is None or target not in ahead:
                    continue
                switches, mover = self._with(number, thread)
                place = target * threads + thread
                if switches < self._switches[place]:
                    self._switches[place] = switches
                    self._before[place] = number
                    self._mover[place] = mover
