"""A shorter execution to the same violation, with fewer context switches: steps that nothing rests on are left out, and the steps of a
thread put together.

In: an execution, and what it has to come to. Out: one that is no longer, and not known to be the shortest. Must not know how it was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from formal.interp import Machine, Outcome, State
from formal.verdict import context_switches

Step: TypeAlias = tuple[int, State]  # who moves, and what comes of it
Execution: TypeAlias = Sequence[Outcome]  # of steps behind each of which there is a state
Wanted: TypeAlias = Callable[[State], bool]
MOST: Final = 30_000  # steps that are tried out, and threads that are looked at


@dataclass(slots=True)
class _Trying:
    """What may still be tried."""

    machine: Machine
    wanted: Wanted
    left: int = MOST

    def follow(self, begun: Execution, order: Execution) -> list[Outcome] | None:
        """The execution that is begun, and behind it what can be taken of these steps; None if it does not come to what is wanted."""
        state = (begun[-1].after if begun else None) or self.machine.initial()
        found = list(begun)
        self.left -= len(order) + len(self.machine.program.threads)
        for step in order:
            again = next((one for one in self.machine.steps(state, step.thread) if one.choice == step.choice), None)
            if again is not None and again.after is not None:
                found.append(again)
                state = again.after
        return found if self.wanted(state) else None


def shortened(machine: Machine, steps: Sequence[Step], wanted: Wanted) -> list[Step]:
    """As few of these steps as trying finds to be enough, with as few switches. `wanted`: of the state at the end."""
    trying = _Trying(machine, wanted)
    best = _taken(machine, steps)
    size = len(best) // 2
    while size >= 1 and trying.left > 0:
        at = len(best) - size
        while at >= 0 and trying.left > 0:
            found = trying.follow(best[:at], best[at + size :])
            if found is not None and len(found) < len(best):
                best = found
            at = min(at, len(best)) - size
        size //= 2
    return _steps(_together(trying, best))


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
            return _steps(found)
    return None


def _taken(machine: Machine, steps: Sequence[Step]) -> Execution:
    state = machine.initial()
    found = []
    for thread, after in steps:
        found.append(next(one for one in machine.steps(state, thread) if one.after == after))
        state = after
    return found


def _steps(execution: Execution) -> list[Step]:
    return [(step.thread, step.after) for step in execution if step.after is not None]


def _together(trying: _Trying, best: Execution) -> Execution:
    """Each switch away from a thread that has more to do is tried to be put off."""
    at = 1
    while at < len(best) and trying.left > 0:
        thread = best[at - 1].thread
        ahead = next((place for place in range(at, len(best)) if best[place].thread == thread), None)
        if ahead is not None and ahead > at:
            found = trying.follow(best[:at], [best[ahead], *best[at:ahead], *best[ahead + 1 :]])
            if found is not None and context_switches(one.thread for one in found) <= context_switches(one.thread for one in best):
                best = found
        at += 1
    return best
