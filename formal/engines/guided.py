"""Shortest violations where states that differ only in names are one: the folded search says how far away they are, and which states lie on
the way; the program's own executions are then looked for among those only.

In: a machine, properties, an exact symmetry. Out: for a property that is violated the best execution, as `Shortest` finds it among all that
are as short. Must not know merged steps, nor symmetries that add executions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from formal.engines.exploration import Exploration
from formal.engines.looking import Looking
from formal.engines.shortest import Shortest
from formal.interp import Machine, State, Stop, Symmetry
from formal.program import Property

Path = tuple[list[tuple[int, State]], int | None]  # who moves and what comes of it, step by step; who goes wrong then


@dataclass(slots=True)
class _Found:
    """Where a property is violated: in states of a level, or in steps of threads from them."""

    depth: int
    states: set[State] = field(default_factory=set)
    steps: set[State] = field(default_factory=set)


class Guide:
    """The folded search, level by level."""

    def __init__(self, machine: Machine, properties: Iterable[Property], memory: int | None, symmetry: Symmetry) -> None:
        asked = list(properties)
        self._looking = Looking(machine, asked)
        self._asked = {prop.name for prop in asked}
        self._symmetry = symmetry
        self._memory = memory
        self._exploration = Exploration(machine, memory, None, symmetry)
        self._found: dict[str, _Found] = {}

    @property
    def states(self) -> int:
        """How many states are known."""
        return len(self._exploration.states)

    @property
    def depth(self) -> int:
        """The level that comes next: nothing that was not found is violated within fewer steps."""
        return self._exploration.depth

    def find(self, names: Collection[str], most: int) -> list[str]:
        """Searches on until one of these is found to be violated, or there are so many states: those that are. Raises OutOfMemory."""
        while self._found.keys().isdisjoint(names) and self.states < most and not self._exploration.exhausted:
            self._expand()
        return sorted(self._found.keys() & names)

    def _expand(self) -> None:
        exploration, depth = self._exploration, self._exploration.depth
        level: dict[str, _Found] = {}

        def visit(_: int, state: State, waiting: list[int], moving: list[int]) -> None:
            for name in self._looking.at(state, waiting, moving):
                level.setdefault(name, _Found(depth)).states.add(state)

        def err(number: int, _: int, prop: str) -> None:
            if prop in self._asked:
                level.setdefault(prop, _Found(depth)).steps.add(exploration.states[number])

        exploration.expand(visit, err)
        for name, found in level.items():
            self._found.setdefault(name, found)

    def best(self, name: str, most: int) -> Path | None:
        """The best execution that violates what was found to be violated; None if there are more than so many states on the way."""
        found = self._found[name]
        levels = self._on_the_way(found.states or found.steps, found.depth)
        way = _Way(self._exploration.machine, self._symmetry, self._memory)
        for level in levels[1:]:
            way.go_on(level)
            if len(way.states) > most:
                return None
        numbers = way.level(found.depth)
        shortest = Shortest(way)
        if found.states:
            return [(thread, way.states[number]) for thread, number in shortest.to_state(numbers, found.depth)], None
        wrong = [(number, thread) for number in numbers for thread, after in way.successors(number) if _goes_wrong(after, name)]
        path, last = shortest.to_step(wrong, found.depth)
        return [(thread, way.states[number]) for thread, number in path], last

    def _on_the_way(self, ends: set[State], depth: int) -> list[set[State]]:
        """By level, the folded states from which one gets to these."""
        levels = [ends]
        exploration = self._exploration
        for level in range(depth - 1, -1, -1):
            levels.append({exploration.states[number] for number in exploration.level(level) if self._leads(number, levels[-1])})
        levels.reverse()
        return levels

    def _leads(self, number: int, to: set[State]) -> bool:
        steps = self._exploration.successors(number, self._symmetry.twins(self._exploration.states[number]))
        return any(not isinstance(after, Stop) and self._symmetry.normal(after) in to for _, after in steps)


def _goes_wrong(after: State | Stop, name: str) -> bool:
    return isinstance(after, Stop) and after.prop == name


class _Way(Exploration):
    """The program's own states on the way. Of threads that do the same, the first one is taken, and those that were the last to move."""

    def __init__(self, machine: Machine, symmetry: Symmetry, memory: int | None) -> None:
        super().__init__(machine, memory)
        self._alike = symmetry
        self._movers: dict[int, set[int]] = {}

    def go_on(self, to: set[State]) -> None:
        """The next level: the successors whose normal forms are among these. Raises OutOfMemory."""
        self.look_at_memory()
        level = self.level(self.depth)
        self.starts.append(level.stop)
        for number in level:
            for thread, after in self._steps(number):
                if after in self.index or self._alike.normal(after) in to:
                    place = self.index.setdefault(after, len(self.states))
                    if place == len(self.states):
                        self.states.append(after)
                    self._movers.setdefault(place, set()).add(thread)

    def _steps(self, number: int) -> Iterator[tuple[int, State]]:
        twins, movers = self._alike.twins(self.states[number]), self._movers.get(number, set())
        for thread, after in self.successors(number, twins.keys() - movers):
            if not isinstance(after, Stop):
                yield thread, after
