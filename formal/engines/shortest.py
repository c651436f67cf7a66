"""The best way to a violation: of the fewest steps the one with the fewest context switches, and of those one with the fewest threads.

In: an exploration, and the places of a violation in one of its levels. Out: a path. Dynamic programming over (state, thread that moved
last), forward over the levels, as far as violations ask for; predecessors are stored, successors computed once more. Which threads a path
has used is no matter of its last place alone: so the paths that are equally good are walked through once more, with the sets of threads
that lead to each place, as far as none contains another.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from formal.engines.exploration import Exploration
from formal.interp import Stop

FAR: Final = 0xFFFFFFFF  # more context switches than any path has
SETS: Final = 256  # of threads that are kept for one place, the smallest ones: more is unheard of


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """A path to a place, from its end: the threads in it, as bits, and what was before (None: the initial state)."""

    threads: int
    place: int
    before: _Way | None


class Shortest:
    """Grows with the levels. For state s and last mover t, at s * threads + t: the fewest switches, and the state and mover before."""

    def __init__(self, exploration: Exploration) -> None:
        self._exploration = exploration
        self._threads = exploration.threads
        self._done = 0  # the last level that has its figures
        self._switches = array("I", [0] * self._threads)  # whoever moves first has not switched
        self._before = array("I", [0] * self._threads)
        self._mover = array("H", [0] * self._threads)
        self._ties: list[tuple[array[int], array[int]]] = []  # by level: places that have a second state before them, and that state

    def to_state(self, numbers: Iterable[int], depth: int) -> list[tuple[int, int]]:
        """The best path to one of these states of level `depth`: thread and state after it, step by step."""
        self._reach(depth)
        if depth == 0:
            return []
        places = [number * self._threads + thread for number in sorted(set(numbers)) for thread in range(self._threads)]
        fewest = min(self._switches[place] for place in places)
        return self._best({place: 0 for place in places if self._switches[place] == fewest}, depth)

    def to_step(self, steps: Iterable[tuple[int, int]], depth: int) -> tuple[list[tuple[int, int]], int]:
        """The best path to a state of level `depth` in which a thread makes one of these (state, thread) steps; and that thread."""
        self._reach(depth)
        steps = sorted(set(steps))
        fewest = min(self._with(*step)[0] for step in steps)
        best = [step for step in steps if self._with(*step)[0] == fewest]
        if depth == 0:
            return [], best[0][1]
        paths = []
        for thread in sorted({thread for _, thread in best}):
            places = [place for number, mover in best if mover == thread for place in self._places(number, thread, fewest)]
            paths.append((self._best(dict.fromkeys(places, 1 << thread), depth), thread))
        return min(paths, key=lambda path: len({path[1], *(mover for mover, _ in path[0])}))

    # ------------------------------------------------------------ the fewest threads

    def _best(self, ends: dict[int, int], depth: int) -> list[tuple[int, int]]:
        """Of the best paths to one of these places, one with the fewest threads; to each, the threads that follow, as bits."""
        first = min(ends)
        path = self._path(*divmod(first, self._threads), depth)
        if len({thread for thread, _ in path}.union(_bits(ends[first]))) <= 2 or len(path) == 0:
            return path  # one is enough only where there is no switch, and then every path has one
        ways = self._ways(ends, depth)
        return self._steps(min(ways, key=lambda way: ((way.threads | ends[way.place]).bit_count(), way.place)))

    def _ways(self, ends: Collection[int], depth: int) -> list[_Way]:
        """The paths to these places that differ in the threads that they have."""
        before: list[dict[int, list[int]]] = []
        wanted = set(ends)
        for level in range(depth, 0, -1):
            sources = self._sources(wanted, level)
            before.append({place: sorted(self._places_before(place, sources[place], level)) for place in sorted(wanted)})
            wanted = {place for places in before[-1].values() for place in places}
        ways = {place: [_Way(0, place, None)] for place in wanted}
        for level_before in reversed(before):
            ways = {place: self._longer(place, [way for one in those for way in ways[one]]) for place, those in level_before.items()}
        return [way for place in ends for way in ways[place]]

    def _longer(self, place: int, ways: Iterable[_Way]) -> list[_Way]:
        """One more step: those of which no set of threads contains another's, the smallest first."""
        mover = 1 << place % self._threads
        kept: dict[int, _Way] = {}
        for way in sorted(ways, key=lambda way: ((way.threads | mover).bit_count(), way.threads, way.place)):
            threads = way.threads | mover
            if not any(other & threads == other for other in kept):
                kept[threads] = _Way(threads, place, way)
        return list(kept.values())[:SETS]

    def _sources(self, wanted: Collection[int], level: int) -> dict[int, set[int]]:
        """The states of the level before from which one gets to these places: some lead there with more switches than needed."""
        sources = {place: {self._before[place]} for place in wanted}
        places, numbers = self._ties[level - 1]
        for place, number in zip(places, numbers, strict=True):
            if place in sources:
                sources[place].add(number)
        return sources

    def _places_before(self, place: int, numbers: Iterable[int], level: int) -> Iterator[int]:
        """The places from which a step leads to this one, without a switch too many."""
        thread = place % self._threads
        for number in numbers:
            if level == 1:
                yield thread  # whoever moves first has not switched
            else:
                yield from self._places(number, thread, self._switches[place])

    def _places(self, number: int, thread: int, switches: int) -> list[int]:
        """The places of a state with which one has so many switches when `thread` moves next."""
        row = self._row(number)
        return [number * self._threads + mover for mover, so_far in enumerate(row) if so_far + (mover != thread) == switches]

    def _steps(self, way: _Way) -> list[tuple[int, int]]:
        path = []
        while way.before is not None:
            number, thread = divmod(way.place, self._threads)
            path.append((thread, number))
            way = way.before
        path.reverse()
        return path

    # ------------------------------------------------------------ the fewest switches

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
        places, numbers = array("Q"), array("I")
        self._ties.append((places, numbers))
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
                elif switches == self._switches[place] and number != self._before[place]:
                    places.append(place)
                    numbers.append(number)


def _bits(threads: int) -> Iterator[int]:
    return (thread for thread in range(threads.bit_length()) if threads >> thread & 1)
