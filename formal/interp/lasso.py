"""Whether a lasso violates a liveness property.

In: an execution and where its loop starts. Out: why it does not show the violation, or None. The loop has to be fair: a thread that could
move all along has moved, and a strongly fair one that could move at all. Must not search.
"""

from __future__ import annotations

from collections.abc import Sequence

from formal.interp.execution import Execution
from formal.interp.layout import State
from formal.interp.machine import Machine
from formal.program import Property


def lasso_fault(machine: Machine, prop: Property, execution: Execution, loop_to: int | None) -> str | None:
    """Why the lasso does not violate the property; None if it does. With `loop_to` at the end: the execution has ended."""
    states = execution.states
    if loop_to is None or not 0 <= loop_to < len(states) or len(states) != len(execution.steps) + 1:
        return "the trace is no lasso"
    if states[loop_to] != states[-1]:
        return f"the last state is not the state after step {loop_to}"
    unfair = _unfair(machine, execution, loop_to)
    return unfair if unfair is not None else _satisfied(machine, prop, states, loop_to)


def _unfair(machine: Machine, execution: Execution, loop_to: int) -> str | None:
    moved = {step.outcome.thread for step in execution.steps[loop_to:]}
    able = [set(machine.enabled(state)) for state in execution.states[loop_to:]]
    for thread in machine.program.threads:
        if thread.id in moved:
            continue
        if all(thread.id in one for one in able):
            return f"{thread.name} could move all along the loop, and does not"
        if thread.id in machine.program.strong_fair and any(thread.id in one for one in able):
            return f"{thread.name} could move again and again in the loop, and does not"
    return None


def _satisfied(machine: Machine, prop: Property, states: Sequence[State], loop_to: int) -> str | None:
    if prop.condition is None:
        return "the property says nothing"
    goal = machine.condition(prop.condition)
    missing = [not goal(state) for state in states]
    if not all(missing[loop_to:]):
        return "what should happen happens in the loop"
    if prop.trigger is None:
        return None if all(missing) else "what should happen happens before the loop"
    trigger = machine.condition(prop.trigger)
    since = len(states) - next((n for n, miss in enumerate(reversed(missing)) if not miss), len(states))
    return None if any(trigger(state) for state in states[since:]) else "what should lead to it does not hold in time"
