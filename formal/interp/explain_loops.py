"""Why a lasso owes something for ever: what repeats, who moves, who is left behind, and why fairness does not help.

In: the history of a lasso that violates a liveness property. Out: the evidence, a paragraph, the objects that it is about. Must not judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from formal.interp.environment import NOBODY
from formal.interp.explain_values import Values
from formal.interp.explain_waits import hop, hops, is_idle, waits
from formal.interp.history import History
from formal.interp.values import text
from formal.naming import grouped, listed
from formal.program import Expr
from formal.verdict import Evidence, Hop, Loop, Owed


@dataclass(frozen=True, slots=True)
class Lasso:
    """A lasso and its property: `trigger` leads to `goal`, or (None) `goal` comes in the end."""

    history: History
    goal: Expr
    trigger: Expr | None
    loop_to: int

    @property
    def _ends(self) -> bool:
        """Whether there is no loop: nobody can move any more."""
        return self.loop_to == len(self.history.execution.steps)

    def evidence(self) -> tuple[Evidence, ...]:
        """What is owed and what repeats, then the threads left behind: first those that could move now and then."""
        owed, left = self._owed(), self._left()
        if self._ends:
            return (*owed, *left)
        steps = self.history.execution.steps
        movers = sorted({step.outcome.thread for step in steps[self.loop_to :]})
        loop = Loop(self.loop_to + 1, len(steps), tuple(self.history.names[thread] for thread in movers))
        return (*owed, loop, *left)

    def involved(self) -> tuple[str, ...]:
        """Objects that the property speaks of, or that somebody who is left behind waits for."""
        values = Values(self.history, self.history.execution.last)
        said = values.involved(self.goal, NOBODY)
        waited = [one.wants for one in self._left() if one.wants]
        return tuple(dict.fromkeys((*said, *waited)))

    def paragraph(self) -> str:
        """The same in words."""
        goal, steps = text(self.goal), len(self.history.execution.steps)
        owed = ""
        if self.trigger is not None:
            since = self._trigger_since()
            owed = f"`{text(self.trigger)}` held {'at the start' if since is None else f'after step {since}'}; `{goal}` is owed since. "
        if self._ends:
            left = self._left()
            return " ".join([f"{owed}After step {steps} no thread can move, and `{goal}` never holds.", *([waits(left)] if left else [])])
        movers = grouped(name for one in self.evidence() if isinstance(one, Loop) for name in one.movers)
        told = f"{owed}Steps {self.loop_to + 1} to {steps} can repeat for ever, by {listed(movers)} alone, and `{goal}` never holds."
        return " ".join([told, *_fairness(self._left(), steps - self.loop_to)])

    # ------------------------------------------------------------ what is owed

    def _owed(self) -> tuple[Evidence, ...]:
        values = Values(self.history, self.history.execution.last)
        if self.trigger is None:
            return (Owed(text(self.goal), "", None), *values.facts(self.goal, NOBODY))
        return (Owed(text(self.goal), text(self.trigger), self._trigger_since()), *values.facts(self.goal, NOBODY))

    def _goal_since(self) -> int | None:
        """The step since which the goal does not hold."""
        holds = self.history.machine.condition(self.goal)
        return next((number + 1 for number in range(len(self.history.states) - 1, -1, -1) if holds(self.history.states[number])), None)

    def _trigger_since(self) -> int | None:
        """The first step behind which the trigger held, and the goal has not since; None if that is so from the start."""
        assert self.trigger is not None
        holds = self.history.machine.condition(self.trigger)
        begun = self._goal_since() or 0
        first = next((number for number in range(begun, len(self.history.states)) if holds(self.history.states[number])), begun)
        return first or None

    # ------------------------------------------------------------ who is left behind

    def _left(self) -> tuple[Hop, ...]:
        machine, states = self.history.machine, self.history.states
        if self._ends:
            waiting = machine.waits(states[-1])
            return () if all(is_idle(self.history, states[-1], one.thread) for one in waiting) else hops(self.history, waiting)
        moved = {step.outcome.thread for step in self.history.execution.steps[self.loop_to :]}
        stay = [one for one in range(len(self.history.names)) if one not in moved and machine.status(states[-1], one) == "running"]
        found = [self._starved(thread) for thread in stay if not is_idle(self.history, states[-1], thread)]
        return tuple(sorted(found, key=lambda one: not one.able))

    def _starved(self, thread: int) -> Hop:
        """One thread that the loop leaves where it stands. Who is in its way is told of all the states in which it cannot move."""
        blocked: list[Hop] = []
        able: list[int] = []
        for number in range(self.loop_to + 1, len(self.history.states)):
            state = self.history.states[number]
            member = next((one for one in self.history.machine.waits(state) if one.thread == thread), None)
            if member is None:
                able.append(number)
            else:
                blocked.append(hop(self.history, state, member, "starved"))
        by = tuple(dict.fromkeys(name for one in blocked for name in one.by))
        lasting = not able and len(by) == 1
        return replace(blocked[-1], by=by, since=blocked[-1].since if lasting else None, able=tuple(able))


def _fairness(left: Sequence[Hop], length: int) -> list[str]:
    """Why the loop is fair to those that do not move in it."""
    told = []
    sometimes = grouped(one.thread for one in left if one.able)
    if sometimes:
        told.append(f"{listed(sometimes)} could move in some of its {length} states, but not in all: weak fairness owes nothing for that.")
    never = grouped(one.thread for one in left if not one.able)
    if never:
        told.append(f"{listed(never)} can move in none of its states.")
    return told
