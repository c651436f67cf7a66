"""What is violated in a program, by looking at all its states, if they are few enough.

In: a program, names of properties. Out: those that are violated, and whether the rest is proved. It must not know what was changed in
the program.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from formal.engines.exploration import Exploration, OutOfMemory
from formal.interp import Machine, State
from formal.program import Program
from formal.rewriting.admitting import Refused, admitted

MOST: Final = 20_000  # states
MEMORY: Final = 2048  # mebibytes

Late: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Looked:
    """`violated`: names; `whole`: nothing else is, since all states were looked at (or nothing else was asked)."""

    violated: frozenset[str]
    whole: bool

    def proves(self, prop: str) -> bool:
        """Whether a property is certain to hold."""
        return self.whole and prop not in self.violated


def look(program: Program, names: Collection[str], late: Late, most: int = MOST) -> Looked:
    """Violations of invariants, assertions and built-in checks. Stops when each of them is violated, beyond `most` states, and when `late`
    says so."""
    try:
        machine = Machine(admitted(program))
    except Refused:
        return Looked(frozenset(), False)
    invariants = [
        (prop.name, machine.condition(prop.condition)) for prop in program.properties if prop.kind == "invariant" and prop.condition
    ]
    asked = [(name, holds) for name, holds in invariants if name in names]
    found: set[str] = set()
    exploration = Exploration(machine, MEMORY)

    def visit(_number: int, state: State, _waiting: list[int], _moving: list[int]) -> None:
        found.update(name for name, holds in asked if name not in found and not holds(state))

    def err(_number: int, _thread: int, prop: str) -> None:
        if prop in names:
            found.add(prop)

    try:
        while not exploration.exhausted and len(exploration.states) < most and len(found) < len(names) and not late():
            exploration.expand(visit, err)
    except OutOfMemory:
        return Looked(frozenset(found), False)
    return Looked(frozenset(found), exploration.exhausted or len(found) == len(names))
