"""A shorter execution to the same violation, with fewer context switches: steps that nothing rests on are left out, and the steps of a
thread put together.

In: an execution, and what it has to come to. Out: one that is no longer, and not known to be the shortest. Must not know how it was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from formal.interp import Machine, State

Step: TypeAlias = tuple[int, State]  # who moves, and what comes of it
Wanted: TypeAlias = Callable[[State], bool]
MOST: Final = 30_000  # steps that are tried out, and threads that are looked at


@dataclass(frozen=True, slots=True)
class _Taken:
    """A step: who moves, what is picked, and what comes of it."""

    thread: int
    choice: tuple[str, ...]
    after: State


_Execution: TypeAlias = "Sequence[_Taken]"


@dataclass(slots=True)
class _Trying:
    """What may still be tried."""

    machine: Machine
    wanted: Wanted
    left: int = MOST

    def follow(self, begun: _Execution, order: _Execution) -> list[_Taken] | None:
        """The execution that is begun, and behind it what can be taken of these steps; None if it does not come to what is wanted."""
        state = begun[-1].after if begun else self.machine.initial()
        found = list(begun)
        self.left -= len(order) + len(self.machine.program.threads)
        for step in order:
            after = next((one.after for one in self.machine.steps(state, step.thread) if one.choice == step.choice), None)
            if after is not None:
                found.append(_Taken(step.thread, step.choice, after))
                state = after
        return found if self.wanted(state) else None


def shortened(machine: Machine, steps: Sequence[Step], wanted: Wanted) -> list[Step]:
    """As few of these steps as trying finds to be enough, with as few switches. `wanted`: of the state at the end."""
    trying = _Trying(machine, wanted)
    best: _Execution = _taken(machine, steps)
    size = len(best) // 2
    while size >= 1 and trying.left > 0:
        at = len(best) - size
        while at >= 0 and trying.left > 0:
            found = trying.follow(best[:at], best[at + size :])
            if found is not None and len(found) < len(best):
                best = found
            at = min(at, len(best)) - size
        size //= 2
    return [(step.thread, step.after) for step in _together(trying, best)]


def without_a_thread(machine: Machine, steps: Sequence[Step], wanted: Wanted) -> list[Step] | None:
    """What is left of the steps if one thread takes none, where that comes to what is wanted; the thread that moved last is tried first.
    None if it cannot be any."""
    trying = _Trying(machine, wanted)
    execution = _taken(machine, steps)
    for thread in dict.fromkeys(step.thread for step in reversed(execution)):
        if trying.left <= 0:
            return None
        begun = next(number for number, step in enumerate(execution) if step.thread == thread)
        found = trying.follow(execution[:begun], [step for step in execution[begun:] if step.thread != thread])
        if found is not None:
            return [(step.thread, step.after) for step in found]
    return None


def _taken(machine: Machine, steps: Sequence[Step]) -> _Execution:
    state = machine.initial()
    found = []
    for thread, after in steps:
        found.append(_Taken(thread, next(one.choice for one in machine.steps(state, thread) if one.after == after), after))
        state = after
    return found


def _together(trying: _Trying, best: _Execution) -> _Execution:
    """Each switch away from a thread that has more to do is tried to be put off."""
    at = 1
    while at < len(best) and trying.left > 0:
        thread = best[at - 1].thread
        ahead = next((place for place in range(at, len(best)) if best[place].thread == thread), None)
        if ahead is not None and ahead > at:
            found = trying.follow(best[:at], [best[ahead], *best[at:ahead], *best[ahead + 1 :]])
            if found is not None and _switches(found) <= _switches(best):
                best = found
        at += 1
    return best


def _switches(execution: _Execution) -> int:
    return sum(one.thread != other.thread for one, other in pairwise(execution))
