"""A shorter execution to the same violation, with fewer context switches.

First every detour that comes back to a state is cut out. Then pieces are left out, from halves down to single steps, and what is left is
tried again (delta debugging: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002); then pieces of the same
thread are put together. It stops after a fixed amount of work, so that the answer is the same on every machine.

In: an execution, and what it has to come to. Out: one that is no longer, and not known to be the shortest. Must not know how it was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
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

    def follow(self, begun: Execution, order: Execution) -> Execution | None:
        """The execution that is begun, and behind it what can be taken of these steps; None if it does not come to what is wanted."""
        state = (begun[-1].after if begun else None) or self.machine.initial()
        found = list(begun)
        self.left -= len(order) + len(self.machine.program.threads)
        for step in order:
            again = next((one for one in self.machine.steps(state, step.thread) if one.choice == step.choice), None)
            if again is not None and again.after is not None:
                found.append(again)
                state = again.after
        return without_detours(self.machine.initial(), found) if self.wanted(state) else None


def shortened(machine: Machine, steps: Sequence[Step], wanted: Wanted) -> list[Step]:
    """As few of these steps as trying once finds to be enough, with as few switches. `wanted`: of the state at the end."""
    return _steps(shorter(machine, _taken(machine, steps), wanted, MOST, again=False))


def shorter(machine: Machine, execution: Execution, wanted: Wanted, most: int, *, again: bool) -> Execution:
    """The same of outcomes, with so many steps tried out at most. `again`: as long as it gets better."""
    trying = _Trying(machine, wanted, most)
    best = without_detours(machine.initial(), execution)
    while True:
        found = _together(trying, _left_out(trying, best))
        if _size(found) >= _size(best) or not again or trying.left <= 0:
            return found
        best = found


def without_detours(start: State, execution: Execution) -> Execution:
    """The same execution without what lies between two visits of one state."""
    kept: list[Outcome] = []
    states = [start]
    place = {start: 0}
    for outcome in execution:
        kept.append(outcome)
        if outcome.after is None:
            break
        back = place.get(outcome.after)
        if back is None:
            place[outcome.after] = len(states)
            states.append(outcome.after)
            continue
        for state in states[back + 1 :]:
            del place[state]
        del states[back + 1 :], kept[back:]
    return kept


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


def _size(execution: Execution) -> tuple[int, int]:
    """Steps, and switches among them."""
    return len(execution), context_switches(step.thread for step in execution)


def _left_out(trying: _Trying, best: Execution) -> Execution:
    """Pieces are left out, the last ones first: those before them need not be tried again."""
    size = len(best) // 2
    while size >= 1 and trying.left > 0:
        at = len(best) - size
        while at >= 0 and trying.left > 0:
            found = trying.follow(best[:at], best[at + size :])
            if found is not None and len(found) < len(best):
                best = found
            at = min(at, len(best)) - size
        size //= 2
    return best


def _together(trying: _Trying, best: Execution) -> Execution:
    """A piece of one thread goes to the next piece of it, or that comes to it, wherever that spares a switch."""
    number = 0
    while trying.left > 0:
        pieces = [list(piece) for _, piece in groupby(best, key=lambda step: step.thread)]
        if number >= len(pieces):
            break
        begun = list(chain(*pieces[:number]))
        tried = (trying.follow(begun, list(chain(*order))) for order in _orders(pieces[number:]))
        better = next((found for found in tried if found is not None and _no_longer(found, best)), None)
        if better is None:
            number += 1
        else:
            best = better
    return best


def _no_longer(found: Execution, best: Execution) -> bool:
    """Whether it has fewer switches, and no more steps."""
    (steps, switches), (most, before) = _size(found), _size(best)
    return steps <= most and switches < before


def _orders(pieces: Sequence[Sequence[Outcome]]) -> Iterator[Sequence[Sequence[Outcome]]]:
    """The pieces with the first one put together with the next of its thread: here, or there."""
    first, *others = pieces
    later = next((place for place, piece in enumerate(others) if place > 0 and piece[0].thread == first[0].thread), None)
    if later is not None:
        between, same, rest = others[:later], others[later], others[later + 1 :]
        yield [first, same, *between, *rest]
        yield [*between, first, same, *rest]
