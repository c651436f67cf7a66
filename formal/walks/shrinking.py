"""A violation that a walk has met, without most of the steps that did nothing for it.

In: the walk's steps. Out: fewer of them, which end in the same violation. First every detour that comes back to a state is cut out; then
pieces are left out, from halves down to single steps, and tried again (delta debugging: Zeller and Hildebrandt, "Simplifying and isolating
failure-inducing input", TSE 2002); then pieces of the same thread are put together. It stops after a fixed amount of work, so that the
same walk gives the same answer on every machine. The result is short, but not sure to be the shortest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from formal.interp import Machine, Outcome, State
from formal.program import Property
from formal.verdict import context_switches

_BUDGET = 60_000  # steps that are executed again, for each violation: less than a second
Path = list[Outcome]


def shrink(machine: Machine, prop: Property, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """`outcomes` end in a violation of `prop`, which is no liveness property."""
    return tuple(_Shrinker(machine, prop).shrink(without_detours(machine.initial(), outcomes)))


def without_detours(start: State, outcomes: Sequence[Outcome]) -> Path:
    """The same execution without what lies between two visits of one state."""
    kept: Path = []
    states = [start]
    place = {start: 0}
    for outcome in outcomes:
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


class _Shrinker:
    def __init__(self, machine: Machine, prop: Property) -> None:
        self._machine = machine
        self._prop = prop
        self._left = _BUDGET
        self._holds = self._test()

    def _test(self) -> Callable[[State], bool] | None:
        """Whether a state violates the property; None for one that only a step can violate."""
        machine, prop = self._machine, self._prop
        if prop.kind == "deadlock":
            return lambda state: prop.name in machine.deadlocks(state)
        if prop.kind == "invariant" and prop.condition is not None:
            holds = machine.condition(prop.condition)
            return lambda state: not holds(state)
        return None

    def shrink(self, path: Path) -> Path:
        before = len(path) + 1
        while len(path) < before and self._left > 0:
            before = len(path)
            path = self._leave_out(path)
        return self._put_together(path)

    def _leave_out(self, path: Path) -> Path:
        size = max(1, len(path) // 2)
        while True:
            start = 0
            while start < len(path):
                shorter = self._again([*path[:start], *path[start + size :]])
                if shorter is not None and len(shorter) < len(path):
                    path = shorter
                else:
                    start += size
            if size == 1 or self._left <= 0:
                return path
            size //= 2

    def _put_together(self, path: Path) -> Path:
        """Fewer context switches: a piece of one thread goes to the next piece of it, as long as something still gets better."""
        better: Path | None = path
        while better is not None and self._left > 0:
            path = better
            better = next((found for found in self._merged(path)), None)
        return path

    def _merged(self, path: Path) -> Sequence[Path]:
        pieces = [list(piece) for _, piece in groupby(path, key=lambda outcome: outcome.thread)]
        for number, piece in enumerate(pieces):
            later = next((n for n in range(number + 2, len(pieces)) if pieces[n][0].thread == piece[0].thread), None)
            if later is None:
                continue
            rest = pieces[number + 1 : later]
            for order in ((*rest, piece, pieces[later]), (piece, pieces[later], *rest)):
                tried = [*pieces[:number], *order, *pieces[later + 1 :]]
                found = self._again([outcome for one in tried for outcome in one])
                if (
                    found is not None
                    and len(found) <= len(path)
                    and context_switches(one.thread for one in found) < context_switches(one.thread for one in path)
                ):
                    return [found]
        return []

    def _again(self, wanted: Sequence[Outcome]) -> Path | None:
        """The same threads with the same choices from the start, leaving out what is not possible now: up to the violation, if it comes.
        A deadlock is looked for at the end only."""
        if self._left <= 0:
            return None
        state = self._machine.initial()
        done: Path = []
        early = self._holds if self._prop.kind == "invariant" else None
        for one in wanted:
            if early is not None and early(state):
                return without_detours(self._machine.initial(), done)
            self._left -= 1
            outcome = next((new for new in self._machine.steps(state, one.thread) if self._like(new, one)), None)
            if outcome is None:
                continue
            done.append(outcome)
            if outcome.after is None:
                return without_detours(self._machine.initial(), done)
            state = outcome.after
        return without_detours(self._machine.initial(), done) if self._holds is not None and self._holds(state) else None

    def _like(self, new: Outcome, one: Outcome) -> bool:
        """Whether the step goes as the other one did: with the same choice, and into no other end than the one that is looked for."""
        return new.error == self._prop.name if new.after is None else new.choice == one.choice and one.error is None
