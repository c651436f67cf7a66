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
MOST: Final = 40_000  # steps that are tried out

_Order: TypeAlias = "Sequence[tuple[int, tuple[str, ...]]]"  # who moves, and what is picked


@dataclass(slots=True)
class _Trying:
    """What is left to be tried, in steps."""

    machine: Machine
    wanted: Wanted
    left: int = MOST

    def follow(self, order: _Order) -> tuple[_Order, list[Step]] | None:
        """The steps of this order that can be taken, one after the other; None if they do not come to what is wanted."""
        state = self.machine.initial()
        taken, steps = [], []
        for thread, choice in order:
            self.left -= 1
            after = next((one.after for one in self.machine.steps(state, thread) if one.choice == choice), None)
            if after is not None:
                taken.append((thread, choice))
                steps.append((thread, after))
                state = after
        return (taken, steps) if self.wanted(state) else None


def shortened(machine: Machine, steps: Sequence[Step], wanted: Wanted) -> list[Step]:
    """As few of these steps as trying finds to be enough, with as few switches. `wanted`: of the state at the end."""
    trying = _Trying(machine, wanted)
    order, best = _order(machine, steps), list(steps)
    size = len(order) // 2
    while size >= 1 and trying.left > 0:
        at = len(order) - size
        while at >= 0 and trying.left > 0:
            found = trying.follow([*order[:at], *order[at + size :]])
            if found is not None and len(found[0]) < len(order):
                order, best = found
            at = min(at, len(order)) - size
        size //= 2
    return _together(trying, order, best)


def _order(machine: Machine, steps: Sequence[Step]) -> _Order:
    state = machine.initial()
    found = []
    for thread, after in steps:
        found.append((thread, next(one.choice for one in machine.steps(state, thread) if one.after == after)))
        state = after
    return found


def _together(trying: _Trying, order: _Order, best: list[Step]) -> list[Step]:
    """Each switch away from a thread that has more to do is tried to be put off."""
    at = 1
    while at < len(order) and trying.left > 0:
        thread = order[at - 1][0]
        ahead = next((place for place in range(at, len(order)) if order[place][0] == thread), None)
        if ahead is not None and ahead > at:
            found = trying.follow([*order[:at], order[ahead], *order[at:ahead], *order[ahead + 1 :]])
            if found is not None and _switches(found[0]) <= _switches(order):
                order, best = found
        at += 1
    return best


def _switches(order: _Order) -> int:
    return sum(one[0] != other[0] for one, other in pairwise(order))
