"""One execution, step by step, for whoever judges or explains it.

In: nothing (data). Out: `Execution`. Must not judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.interp.layout import State
from formal.interp.machine import Machine, Outcome


@dataclass(frozen=True, slots=True)
class Step:
    """The state before, and how one thread's step went."""

    before: State
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Execution:
    """`last` is the state at the end: where the last step is an error, the state before it."""

    machine: Machine
    steps: tuple[Step, ...]
    last: State

    @property
    def states(self) -> tuple[State, ...]:
        """The initial state, and the one after each step that has one."""
        return (self.machine.initial(), *(step.outcome.after for step in self.steps if step.outcome.after is not None))
