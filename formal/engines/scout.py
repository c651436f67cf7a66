"""A search with merged steps: proves with few states, and tells what is violated, though not in how few steps.

In: a machine and the properties to look at. Out: level by level, the names of those that are violated; at the end, everything else is
proved. What merging leaves out is told in docs/decisions/005-merging.md. Must not know witnesses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from formal.engines.exploration import Exploration
from formal.engines.hunt import Hunted
from formal.engines.looking import Looking, invariants, watched
from formal.engines.unfolding import Unfolding
from formal.interp import Machine, State, Symmetry
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, RANGE, Property

FEW: Final = 20_000  # states, times threads, that are explored sooner than it takes to find out what can be merged
FEW_ALIKE: Final = 4000  # where many of them are alike
ENOUGH: Final = 5000  # states after which it is seen how much is merged
LARGE: Final = 80_000  # states, times the square of threads
MANY: Final = 8  # states of a level
GROWTH: Final = 1.6
LEAST: Final = 20  # steps on which one must have been merged, for this to go on


class Scout:
    """Looks ahead. `sure`: what it finds violated is; `doubtful`: what it cannot tell; `useless`: when it should not be asked any more."""

    def __init__(
        self, machine: Machine, properties: Iterable[Property], memory: int | None, symmetry: Symmetry | None = None, *, merge: bool = True
    ) -> None:
        asked = list(properties)
        self.sure = symmetry is None or symmetry.exact
        self._merging = machine.merging(invariants(asked).values(), symmetry) if merge else None
        self._symmetry = symmetry
        self._looking = Looking(machine, asked)
        self._exploration = Exploration(machine, memory, self._merging, symmetry)
        self._found: dict[str, tuple[int, int | None]] = {}  # in which state, and who goes wrong there
        self.doubtful: set[str] = set()
        self.useless = False

    @property
    def kind(self) -> str:
        """What its states are, for the figures."""
        return "merged" if self._symmetry is None else "folded"

    @property
    def leaves_out(self) -> str:
        """Said of what it has found so far."""
        return "some steps merged" if self._symmetry is None else "alike ones left out"

    @property
    def counts(self) -> str:
        """How its figures are to be read."""
        said = ["merged steps count as one"] if self._merging is not None else []
        said += ["alike states count as one"] if self._symmetry is not None else []
        return ", ".join(said)

    @property
    def exhausted(self) -> bool:
        """Whether everything was explored."""
        return self._exploration.exhausted

    @property
    def depth(self) -> int:
        """The level that comes next."""
        return self._exploration.depth

    @property
    def states(self) -> int:
        """How many states are known."""
        return len(self._exploration.states)

    @property
    def transitions(self) -> int:
        """How many steps were taken; merged ones are one."""
        return self._exploration.transitions

    @property
    def grows(self) -> bool:
        """Whether its last level is much larger than the one before."""
        before = len(self._exploration.level(self.depth - 1)) if self.depth else 1
        size = len(self._exploration.level(self.depth))
        return size >= MANY and size >= GROWTH * before

    @property
    def large(self) -> bool:
        """Whether there are many states already, for so many threads."""
        return self.states * self._exploration.threads**2 >= LARGE

    def expand(self, asked: Collection[str]) -> set[str]:
        """The next level: those of the properties asked for that it finds violated for sure. Raises OutOfMemory."""
        self._found.clear()
        self._looking.watch(watched(asked))
        self._exploration.expand(self._visit, self._err)
        if DEADLOCK_GLOBAL in self._found and self._merging is not None:
            self.doubtful.add(DEADLOCK_PARTIAL)
        if self._merging is not None and self._symmetry is None:
            self.useless |= self.states >= ENOUGH and self._merging.taken * LEAST < self.transitions
        return self._found.keys() & set(asked) - self.doubtful

    def executions(self, names: Iterable[str]) -> dict[str, Hunted]:
        """Of those of these that the last level was found to violate, for a search that is `sure`: how."""
        return {name: self._execution(*self._found[name]) for name in names if name in self._found}

    def _execution(self, number: int, last: int | None) -> Hunted:
        exploration, path = self._exploration, [number]
        while path[-1] >= len(exploration.level(0)):
            path.append(exploration.came[path[-1]])
        unfolding = Unfolding(exploration.machine, self._merging, self._symmetry)
        return unfolding.execution([exploration.states[one] for one in reversed(path)], last)

    def _visit(self, number: int, state: State, waiting: list[int], moving: list[int]) -> None:
        for name in self._looking.at(state, waiting, moving):
            self._found.setdefault(name, (number, None))

    def _err(self, number: int, thread: int, prop: str) -> None:
        """An overflow may be one because a merged `post` came early, and may hide what would have come instead."""
        self._found.setdefault(prop, (number, thread))
        self.useless |= prop == RANGE and self._merging is not None
