"""Which of the properties asked for a state violates.

In: a machine and safety properties. Out: names. Must not know how states are come to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from formal.interp import Machine, State
from formal.program import Property


class Looking:
    """Invariants and deadlocks; errors are of steps, and told by those."""

    def __init__(self, machine: Machine, properties: Iterable[Property]) -> None:
        self._machine = machine
        self._properties = {prop.name: prop for prop in properties}
        conditions = {prop.name: prop.condition for prop in self._properties.values() if prop.kind == "invariant"}
        self._tests = {name: machine.condition(condition) for name, condition in conditions.items() if condition is not None}

    def at(self, state: State, waiting: list[int], moving: list[int], names: Collection[str]) -> list[str]:
        """Those of these names that the state violates. `waiting`: running threads that cannot move; `moving`: those that can."""
        found = [name for name, holds in self._tests.items() if name in names and not holds(state)]
        deadlocks = [name for name in sorted(names) if self._properties[name].kind == "deadlock"]
        return [*found, *self._machine.deadlocked(state, waiting, moving, deadlocks)] if waiting and deadlocks else found
