"""What an exploration meets: for lints about statements that nothing reaches.

In: a program and how many states to look at. Out: a `Survey`. Must not judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.engines.exploration import Exploration
from formal.interp import Machine, State
from formal.program import Program


@dataclass(frozen=True, slots=True)
class Survey:
    """By uid: `executed`, the statements that some thread has stood at (or inside of: loops, guards, atomics); `passed`, those that
    a thread has got past: an `await` that is executed and not passed never held. If not `exhausted`, there may be more."""

    exhausted: bool
    states: int
    executed: frozenset[int]
    passed: frozenset[int]


def survey(program: Program, max_states: int) -> Survey:
    """Explores whole levels until there are `max_states` states, or no more."""
    exploration = Exploration(Machine(program))
    stood: set[int] = set()
    passed: set[int] = set()

    def visit(_number: int, state: State, waiting: list[int], moving: list[int]) -> None:
        stood.update([state[thread] for thread in waiting])
        passed.update([state[thread] for thread in moving])

    def err(_number: int, _thread: int, _prop: str) -> None:
        """An error ends an execution; that is all."""

    while not exploration.exhausted and len(exploration.states) < max_states:
        exploration.expand(visit, err)
    machine = exploration.machine
    passed |= machine.passed_in_atomics
    return Survey(
        exploration.exhausted,
        len(exploration.states),
        frozenset(uid for control in stood | passed | machine.met_in_atomics for uid in machine.uids(control)),
        frozenset(uid for control in passed for uid in machine.passed(control)),
    )
