"""Fair cycles: executions that go on for ever, let everybody move who has a right to, and never do what they should.

In: an exploration and a liveness property. Out: a lasso through the explored states, or None. Works on the states in which what should
happen is owed: strongly connected parts of them, and, for strong fairness, parts of those again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from formal.diagnostics import InternalError
from formal.engines.components import components
from formal.engines.exploration import LOOK_UP_EVERY, Exploration
from formal.engines.shortest_lasso import Graph, shorter
from formal.interp import State, Stop
from formal.program import Expr, Property

Step: TypeAlias = tuple[int, int]  # a thread, and the state after its step
Stood: TypeAlias = tuple[bool, int]  # whether the goal is owed, and the state
Before: TypeAlias = Mapping[Stood, tuple[int, Stood] | None]  # the step that came here first


@dataclass(frozen=True, slots=True)
class Lasso:
    """The steps from the start; the last state is the one after `loop_to` steps. `shortest`: no lasso has fewer steps."""

    path: list[Step]
    loop_to: int
    shortest: bool


@dataclass(frozen=True, slots=True)
class _Edges:
    """A state's steps, and the threads that can move."""

    steps: tuple[Step, ...]
    able: frozenset[int]


def find_lasso(exploration: Exploration, prop: Property) -> Lasso | None:
    """A fair execution that violates the property, the shortest unless looking for that takes too long. Raises OutOfMemory."""
    finder = _Finder(exploration)
    before = finder.owed(_test(exploration, prop.condition), None if prop.trigger is None else _test(exploration, prop.trigger))
    rank = {number: place for place, (owed, number) in enumerate(before) if owed}
    parts = list(finder.fair_parts(rank))
    if not parts:
        return None
    entry, part = min(((min(part, key=rank.__getitem__), part) for part in parts), key=lambda best: rank[best[0]])
    stem = _stem((True, entry), before)
    path = stem + finder.loop(entry, part)
    lengths = _lengths(before)
    inside = {number: lengths[True, number] for number in sorted(set().union(*parts), key=rank.__getitem__)}
    undercut = shorter(finder.graph(), inside, len(path))
    if undercut.loop is None:
        return Lasso(path, len(stem), undercut.exact)
    stem = _stem((True, undercut.loop.entry), before)
    return Lasso([*stem, *undercut.loop.path], len(stem), undercut.exact)


def _lengths(before: Before) -> Mapping[Stood, int]:
    """How many steps lead to each; the step before was met before."""
    lengths: dict[Stood, int] = {}
    for stood, arrival in before.items():
        lengths[stood] = 0 if arrival is None else lengths[arrival[1]] + 1
    return lengths


def _test(exploration: Exploration, condition: Expr | None) -> Callable[[State], bool]:
    if condition is None:
        return lambda _: False
    holds = exploration.machine.condition(condition)
    return lambda state: bool(holds(state))


def _stem(end: Stood, before: Before) -> list[Step]:
    """The steps to `end`."""
    steps = []
    arrival = before[end]
    while arrival is not None:
        thread, origin = arrival
        steps.append((thread, end[1]))
        end = origin
        arrival = before[end]
    steps.reverse()
    return steps


class _Finder:
    """The graph of the explored states, expanded as needed."""

    def __init__(self, exploration: Exploration) -> None:
        self._exploration = exploration
        self._strong = exploration.machine.program.strong_fair
        self._explored = exploration.level(exploration.depth).start  # states from here on were not expanded
        self._known: dict[int, _Edges] = {}

    def graph(self) -> Graph:
        """The same, as the search for shorter loops sees it."""
        strong = frozenset(self._strong)
        return Graph(lambda number: self.edges(number).steps, lambda number: self.edges(number).able, strong)

    def edges(self, number: int) -> _Edges:
        """The steps of a state. One that was not expanded has none that are known, and is no end either."""
        found = self._known.get(number)
        if found is None:
            if len(self._known) % LOOK_UP_EVERY == 0:
                self._exploration.look_at_memory()
            found = self._known[number] = self._expand(number)
        return found

    def _expand(self, number: int) -> _Edges:
        if number >= self._explored:
            return _Edges((), frozenset(range(self._exploration.threads)))
        able: set[int] = set()
        steps: list[Step] = []
        for thread, after in self._exploration.successors(number):
            able.add(thread)
            if not isinstance(after, Stop):
                steps.append((thread, self._exploration.index[after]))
        return _Edges(tuple(dict.fromkeys(steps)), frozenset(able))

    # ------------------------------------------------------------ where the goal is owed

    def owed(self, goal: Callable[[State], bool], trigger: Callable[[State], bool] | None) -> Before:
        """Breadth first, with the step before: the states, and those where the goal is owed: from the start if there is no trigger."""
        states = self._exploration.states
        before: dict[Stood, tuple[int, Stood] | None] = {}
        todo: deque[Stood] = deque()

        def arrive(owed: bool, number: int, arrival: tuple[int, Stood] | None) -> None:
            missing = not goal(states[number])
            if missing and (owed or trigger is None or trigger(states[number])):
                found = (True, number)
                if found not in before:
                    before[found] = arrival
                    todo.append(found)
            if not owed and trigger is not None and (False, number) not in before:
                before[False, number] = arrival
                todo.append((False, number))

        arrive(False, 0, None)
        while todo:
            here = todo.popleft()
            for thread, target in self.edges(here[1]).steps:
                arrive(here[0], target, (thread, here))
        return before

    # ------------------------------------------------------------ fairness

    def fair_parts(self, inside: Iterable[int]) -> Iterator[set[int]]:
        """Sets of states that a fair execution can stay in for ever, seeing all of them."""
        todo = [set(inside)]
        while todo:
            region = todo.pop()
            for component in components(sorted(region), self._within(region)):
                part = set(component)
                unfair = self._unfair(part)
                if unfair is None:
                    yield part
                elif unfair < part:
                    todo.append(part - unfair)

    def _within(self, region: set[int]) -> Callable[[int], list[int]]:
        return lambda number: [target for _, target in self.edges(number).steps if target in region]

    def _unfair(self, part: set[int]) -> set[int] | None:
        """The states that a fair execution cannot stay among; None if it can stay in all of them together."""
        able = [self.edges(number).able for number in part]
        if not any(able) and len(part) == 1:
            return None  # nobody can move: the execution stays here
        movers = self._movers(part)
        if not movers:
            return part
        always = frozenset.intersection(*able)
        if not always <= movers:
            return part
        starved = {number for number in part if self.edges(number).able & self._strong - movers}
        return starved or None

    def _movers(self, part: set[int]) -> set[int]:
        return {thread for number in part for thread, target in self.edges(number).steps if target in part}

    # ------------------------------------------------------------ a loop

    def loop(self, entry: int, part: set[int]) -> list[Step]:
        """From `entry` back to it, fair; no step at all where nobody can move."""
        if not self.edges(entry).able:
            return []
        needs = {thread for number in part for thread in self.edges(number).able}
        path: list[Step] = []
        here = entry
        needs -= self._met(needs, (), here)
        while needs:
            walk = self._walk(here, part, lambda step: bool(self._met(needs, (step[0],), step[1])))  # noqa: B023 - used at once
            for thread, number in walk:
                needs -= self._met(needs, (thread,), number)
            path += walk
            here = path[-1][1]
        if here != entry or not path:
            path += self._walk(here, part, lambda step: step[1] == entry)
        return path

    def _met(self, needs: set[int], moved: tuple[int, ...], number: int) -> set[int]:
        """The threads that are done right by moving, or by not being able to here; the latter will not do for a strongly fair one."""
        able = self.edges(number).able
        return {thread for thread in needs if thread in moved or (thread not in able and thread not in self._strong)}

    def _walk(self, start: int, part: set[int], ends: Callable[[Step], bool]) -> list[Step]:
        """The shortest way inside of the part whose last step is such a one."""
        before: dict[Stood, tuple[int, Stood] | None] = {(True, start): None}
        todo = deque([start])
        while todo:
            here = todo.popleft()
            for step in self.edges(here).steps:
                if step[1] not in part:
                    continue
                if ends(step):
                    return [*_stem((True, here), before), step]
                if (True, step[1]) not in before:
                    before[True, step[1]] = (step[0], (True, here))
                    todo.append(step[1])
        raise InternalError("a strongly connected part has a way to each of its steps")
