"""Executions that violate what a search that leaves something out has found to be violated.

In: a machine, and properties that are violated, or may be. Out: executions, step by step, and whether they are known to be the shortest.
Two ways: where threads are alike the folded search gives the shortest (`guided`); a search that may miss some gives others, from much
further away (`hunt`), which are then shortened. Must not know what is left out elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from formal.engines.guided import Guide
from formal.engines.hunt import Hunt, Hunted
from formal.engines.looking import Looking
from formal.engines.shorten import shortened
from formal.interp import Machine, State, Symmetry
from formal.program import Expr, Property

FOLDED: Final = 50_000  # states, times threads, of the folded search for the shortest
ON_THE_WAY: Final = 20_000  # states of the program that lie on the way to a violation
PLAIN: Final = 60_000  # states, times threads, of the plain search for the shortest
HUNTED: Final = 200_000  # states, times threads, of the search that may miss some
HUNTED_MOST: Final = 8_000


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
    def most_plain(self) -> int:
        """States of a plain search for a shortest execution, until some execution will do."""
        return 0 if self._guide else PLAIN // self._threads

    def best(self, wanted: Collection[str]) -> Iterator[Witnessed]:
        """Shortest executions, of those that are soon found. Raises OutOfMemory."""
        names = set(wanted)
        while self._guide is not None and names:
            found = self._guide.find(names, FOLDED // self._threads)
            if not found:
                return
            for name in found:
                names.discard(name)
                path = self._guide.best(name, ON_THE_WAY)
                if path is not None:
                    yield _witnessed(name, *path, shortest=True)

    def hunt(self, names: Collection[str], *, thorough: bool = True) -> set[str]:
        """Those of these for which `some` has an execution. `thorough`: also without merged steps. Raises OutOfMemory."""
        left = [prop for prop in self._properties if prop.name in names and prop.name not in self._hunted]
        for merge in ((True, False) if thorough else (True,)) if self._merge else (False,):
            if left:
                hunt = Hunt(self._machine, left, self._memory, self._symmetry, merge=merge)
                hunt.go_on(min(HUNTED_MOST, HUNTED // self._threads))
                self._hunted.update(hunt.found)
                left = [prop for prop in left if prop.name not in hunt.found]
        return self._hunted.keys() & names

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

        def violates(state: State) -> bool:
            moving = machine.enabled(state)
            running = [t for t in range(len(machine.program.threads)) if machine.status(state, t) == "running"]
            return bool(looking.at(state, [t for t in running if t not in moving], moving, (prop.name,)))

        return violates


def _witnessed(name: str, steps: Iterable[tuple[int, State]], last: int | None, *, shortest: bool) -> Witnessed:
    return Witnessed(name, (*steps, *(() if last is None else ((last, None),))), shortest)
