"""Executions that violate what a search that leaves something out has found to be violated.

In: a machine, and properties that are violated, or may be. Out: executions, step by step, and whether they are known to be the shortest.
Two ways: where threads are alike the folded search gives the shortest (`guided`); a search that may miss some gives others, from much
further away (`hunt`), which are then shortened. Must not know what is left out elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from formal.engines.guided import Guide
from formal.engines.hunt import Hunt, Hunted
from formal.engines.looking import Looking
from formal.engines.shorten import shortened, without_a_thread
from formal.interp import Machine, State, Symmetry
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, Expr, Property

FOLDED: Final = 100_000  # states, times threads, of the folded search for the shortest
ON_THE_WAY: Final = 20_000  # states of the program that lie on the way to a violation
PLAIN: Final = 60_000  # states, times threads, of the plain search for the shortest
HUNTED: Final = 400_000  # states, times threads, of the search that may miss some
HUNTED_MOST: Final = 8_000
CROWDED: Final = 12  # threads
SOON: Final = 6  # times threads: states whose steps are known, of that search where it comes before all others


@dataclass(frozen=True, slots=True)
class Witnessed:
    """`steps`: who moves, and what comes of it; None for an error. `shortest`: none is shorter, and of those as short, none has fewer
    context switches."""

    name: str
    steps: tuple[tuple[int, State | None], ...]
    shortest: bool


class Witnesses:
    """Of one program. `merge`, `fold`: what may be left out."""

    def __init__(self, machine: Machine, properties: Sequence[Property], memory: int | None, *, merge: bool, fold: bool) -> None:
        self._machine = machine
        self._threads = len(machine.program.threads)
        self._properties = properties
        self._memory = memory
        self._merge = merge
        self._fold = fold
        self._hunts: dict[tuple[tuple[str, ...], bool], Hunt] = {}
        self._hunted: dict[str, Hunted] = {}

    @cached_property
    def _symmetry(self) -> Symmetry | None:
        """Whatever can be taken for the same, also where that adds executions."""
        return self._machine.symmetry(self._conditions) or None if self._fold else None

    @cached_property
    def _guide(self) -> Guide | None:
        symmetry = self._machine.symmetry(self._conditions, exact=True) if self._fold else None
        return Guide(self._machine, self._properties, self._memory, symmetry) if symmetry else None

    @property
    def _conditions(self) -> list[Expr]:
        return [prop.condition for prop in self._properties if prop.condition is not None]

    @property
    def crowded(self) -> bool:
        """Whether there are so many threads that a search level by level does not come far."""
        return self._threads >= CROWDED

    def most_plain(self, names: Collection[str]) -> int:
        """States of a plain search for shortest executions, until others will do."""
        most = PLAIN // self._threads
        return 0 if self._guide or all(self._far(name, most) for name in names) else most

    def _far(self, name: str, states: int) -> bool:
        """Whether so many states are too few to come as deep as an execution that is known: levels have more states than they are deep."""
        return name in self._hunted and 2 * len(self._hunted[name].steps) ** 2 > states

    def best(self, wanted: Collection[str]) -> Iterator[Witnessed]:
        """Shortest executions, of those that are soon found. Raises OutOfMemory."""
        names = {name for name in wanted if not self._far(name, FOLDED // self._threads)}
        while self._guide is not None and names:
            found = self._guide.find(names, FOLDED // self._threads)
            if not found:
                return
            for name in found:
                names.discard(name)
                path = self._guide.best(name, ON_THE_WAY)
                if path is not None:
                    yield _witnessed(name, *path, shortest=True)

    def hunt(self, names: Collection[str], *, thorough: bool = True, soon: bool = False) -> set[str]:
        """Those of these for which `some` has an execution. `thorough`: also without merged steps; `soon`: only what is found at once.
        Raises OutOfMemory."""
        for merge in ((True, False) if thorough else (True,)) if self._merge else (False,):
            left = [prop for prop in self._properties if prop.name in names and prop.name not in self._hunted]
            if left:
                hunt = self._begun(left, merge=merge)
                hunt.go_on(min(HUNTED_MOST, HUNTED // self._threads), SOON * self._threads if soon else None)
                self._hunted.update(hunt.found)
                self._leave_somebody_behind(left)
        return self._hunted.keys() & names

    def offer(self, executions: Mapping[str, Hunted]) -> None:
        """Executions of a search that leaves something out: those that are the program's own, and violate these properties, are kept."""
        for prop in self._properties:
            execution = executions.get(prop.name)
            if execution is not None and self._is_one(execution, prop):
                self._hunted.setdefault(prop.name, execution)

    def _is_one(self, execution: Hunted, prop: Property) -> bool:
        """Whether each of its steps is one of the program's, and the property is violated at the end."""
        state = self._machine.initial()
        for thread, after in execution.steps:
            if all(one.after != after for one in self._machine.steps(state, thread)):
                return False
            state = after
        return self._violates(prop, execution.last)(state)

    def _leave_somebody_behind(self, left: Iterable[Property]) -> None:
        """Of a global deadlock makes a partial one, if somebody is not needed for it: he can still move, which merged steps do not show."""
        whole = self._hunted.get(DEADLOCK_GLOBAL)
        for prop in left:
            if prop.name == DEADLOCK_PARTIAL and prop.name not in self._hunted and whole is not None:
                steps = without_a_thread(self._machine, whole.steps, self._violates(prop, None))
                if steps is not None:
                    self._hunted[prop.name] = Hunted(tuple(steps), None)

    def _begun(self, properties: Sequence[Property], *, merge: bool) -> Hunt:
        """The search for these, as far as it has come."""
        key = tuple(prop.name for prop in properties), merge
        if key not in self._hunts:
            self._hunts[key] = Hunt(self._machine, properties, self._memory, self._symmetry, merge=merge)
        return self._hunts[key]

    def some(self, names: Collection[str]) -> Iterator[Witnessed]:
        """Some executions, of those that are found. Raises OutOfMemory."""
        found = self.hunt(names)
        for prop in self._properties:
            if prop.name in found:
                hunted = self._hunted[prop.name]
                steps = shortened(self._machine, hunted.steps, self._violates(prop, hunted.last))
                yield _witnessed(prop.name, steps, hunted.last, shortest=False)

    def _violates(self, prop: Property, last: int | None) -> Callable[[State], bool]:
        """Whether an execution that ends in a state violates this there, or in the next step of a thread."""
        machine = self._machine
        if last is not None:
            return lambda state: any(outcome.error == prop.name for outcome in machine.steps(state, last))
        looking = Looking(machine, [prop])
        return lambda state: bool(looking.at(state, *machine.waiting_and_moving(state)))


def _witnessed(name: str, steps: Iterable[tuple[int, State]], last: int | None, *, shortest: bool) -> Witnessed:
    return Witnessed(name, (*steps, *(() if last is None else ((last, None),))), shortest)
