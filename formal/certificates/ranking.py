"""A ranking for a liveness property that holds, made from the reachable states.

In: an exhausted exploration, its census, a property. Out: a `Ranking`, short. It need not be right: its obligations (`formal.smt.response`)
are what counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from formal.certificates.census import Census
from formal.certificates.regions import Graph, Levels, Step, rank
from formal.certificates.rules import Indistinct, Rules
from formal.engines.exploration import Exploration
from formal.interp import State, Stop
from formal.invariant import Literal
from formal.invariant.ranking import Level, Ranking, Rule
from formal.program import Expr, Property
from formal.smt.parts import Part

Tell: TypeAlias = Callable[[], None]
Test: TypeAlias = Callable[[State], bool]


class NotRanked(Exception):
    """No ranking came of it; its text says why."""


def make_ranking(exploration: Exploration, census: Census, parts: Sequence[Part], prop: Property, tell: Tell) -> Ranking:
    """The shorter one of two, with the threads in their order and the other way round. `parts`: the least important first; `tell`: called
    now and then, may raise. Raises NotRanked."""
    program = exploration.machine.program
    owing = _Owing(exploration, prop)
    threads = range(len(program.threads))
    found = [_rules(owing, census, parts, order, tell) for order in (threads, threads[::-1])]
    best = min(found, key=len)
    names = [thread.name for thread in program.threads]
    rules = [Rule(when, tuple(Level(number, names[helper]) for number, helper in levels)) for when, levels in best]
    return (*rules, Rule((), ()))


def _rules(
    owing: _Owing, census: Census, parts: Sequence[Part], threads: Sequence[int], tell: Tell
) -> list[tuple[tuple[Literal, ...], Levels]]:
    levels = rank(owing.graph, threads, owing.strong, tell)
    if len(levels) != len(owing.states):
        unranked = len(owing.states) - len(levels)
        raise NotRanked(f"from {unranked:,} of {len(owing.states):,} states in which the goal is owed, some fair execution misses it")
    try:
        return Rules(census, parts, _labels(levels), owing.missing).rules
    except Indistinct:
        raise NotRanked("states that look alike have different ranks") from None


def _labels(levels: Mapping[int, Levels]) -> Mapping[Levels, int]:
    """The states of each, as the bits of a number, those nearest to the goal first."""
    found: dict[Levels, list[int]] = {}
    for state, some in levels.items():
        found.setdefault(some, []).append(state)
    return {some: bits(found[some]) for some in sorted(found)}


def bits(numbers: Iterable[int]) -> int:
    """A number with these bits."""
    found = bytearray()
    for number in sorted(numbers):
        found.extend(bytes(number // 8 + 1 - len(found)))
        found[number // 8] |= 1 << number % 8
    return int.from_bytes(found, "little")


class _Owing:
    """`states`: where the goal of a property is owed; `graph`: of them; `missing`: the bits of all states without the goal."""

    def __init__(self, exploration: Exploration, prop: Property) -> None:
        self._exploration = exploration
        self.strong = exploration.machine.program.strong_fair
        goal = _test(exploration, prop.condition)
        self._without = [not goal(state) for state in exploration.states]
        self.missing = bits(number for number, without in enumerate(self._without) if without)
        self._steps: dict[int, tuple[Step, ...]] = {}
        self._able: dict[int, set[int]] = {}
        self.states = sorted(self._owed(None if prop.trigger is None else _test(exploration, prop.trigger)))
        self.graph = Graph({state: self._steps[state] for state in self.states}, {state: self._able[state] for state in self.states})

    def _owed(self, trigger: Test | None) -> set[int]:
        """From where it becomes owed on, as long as it does not come."""
        states = self._exploration.states
        begins = [0] if trigger is None else [number for number, state in enumerate(states) if trigger(state)]
        found = {number for number in begins if self._without[number]}
        todo = deque(sorted(found))
        while todo:
            for _, after in self._expanded(todo.popleft()):
                if self._without[after] and after not in found:
                    found.add(after)
                    todo.append(after)
        return found

    def _expanded(self, number: int) -> tuple[Step, ...]:
        able: set[int] = set()
        steps: dict[Step, None] = {}
        for thread, after in self._exploration.successors(number):
            able.add(thread)  # also into an error
            if not isinstance(after, Stop):
                steps[thread, self._exploration.index[after]] = None
        self._able[number] = able
        self._steps[number] = tuple(steps)
        return self._steps[number]


def _test(exploration: Exploration, condition: Expr | None) -> Test:
    assert condition is not None
    holds = exploration.machine.condition(condition)
    return lambda state: bool(holds(state))
