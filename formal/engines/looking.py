"""Which of the properties asked for a state violates.

In: a machine and safety properties. Out: names. Must not know how states are come to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from formal.interp import Machine, State
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, DEADLOCKS, Expr, Property


class Looking:
    """Invariants and deadlocks; errors are of steps, and told by those. At first all of these properties are watched for."""

    def __init__(self, machine: Machine, properties: Iterable[Property]) -> None:
        asked = list(properties)
        self._machine = machine
        self._conditions = {name: machine.condition(condition) for name, condition in invariants(asked).items()}
        self.watch({prop.name for prop in asked})

    def watch(self, names: Collection[str]) -> None:
        """From now on these are watched for, and no others: invariants of the properties, and any deadlocks."""
        self._tests = [(name, holds) for name, holds in self._conditions.items() if name in names]
        self._deadlocks = [name for name in DEADLOCKS if name in names]

    def at(self, state: State, waiting: list[int], moving: list[int]) -> list[str]:
        """Those that the state violates. `waiting`: running threads that cannot move; `moving`: those that can."""
        found = [name for name, holds in self._tests if not holds(state)]
        if waiting and self._deadlocks:
            found += self._machine.deadlocked(state, waiting, moving, self._deadlocks)
        return found


def watched(asked: Iterable[str]) -> set[str]:
    """What is watched for where these are asked for and some steps or threads are left out: they may be what keeps a partial deadlock from
    being a global one. So who asks for the one has to know of the other."""
    names = set(asked)
    return names | {DEADLOCK_GLOBAL} if DEADLOCK_PARTIAL in names else names


def invariants(properties: Iterable[Property]) -> dict[str, Expr]:
    """The conditions that have to hold in every state, by name."""
    return {prop.name: prop.condition for prop in properties if prop.kind == "invariant" and prop.condition is not None}
