"""From a trace to a witness: every step executed again, and the end judged.

In: a machine and an engine's `Trace`. Out: a `Witness`, or `ReplayError` where the trace is no execution of the program or does not end in
the violation that it claims. Several executions can look the same in views (a result that is not assigned yet, a `for` variable): all of
them are followed. Must not know engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from formal.diagnostics import InternalError
from formal.interp.execution import Execution, Step
from formal.interp.explain import explained
from formal.interp.explain_steps import about
from formal.interp.history import changed
from formal.interp.lasso import lasso_fault
from formal.interp.layout import State
from formal.interp.machine import Machine, Outcome
from formal.program import Property
from formal.verdict import Move, SourceRef, Trace, View, Witness, WitnessStep, context_switches


class ReplayError(InternalError):
    """The interpreter does not agree with a trace."""


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One execution so far, as a linked list. `anchor` is its state where the loop starts, once it has got there."""

    state: State
    step: Step | None
    before: _Run | None
    anchor: State | None


def replay(machine: Machine, trace: Trace) -> Witness:
    """The witness of a trace. Raises ReplayError, which names the first difference."""
    prop = next((prop for prop in machine.program.properties if prop.name == trace.prop), None)
    if prop is None:
        raise ReplayError(f"the program has no property {trace.prop}")
    ends = _follow(machine, trace)
    executions = [_execution(machine, run) for run in ends]
    faults = [_fault(machine, prop, trace, execution) for execution in executions]
    for execution, fault in zip(executions, faults, strict=True):
        if fault is None:
            return _witness(machine, prop, trace, execution)
    raise ReplayError(f"{trace.prop}, after {len(trace.moves)} steps: {faults[0]}")


def _follow(machine: Machine, trace: Trace) -> list[_Run]:
    start = machine.initial()
    runs = [_Run(start, None, None, start if trace.loop_to == 0 else None)]
    for number, move in enumerate(trace.moves, 1):
        if move.after is None and number != len(trace.moves):
            raise ReplayError(f"step {number}: the trace goes on behind an error")
        after: dict[tuple[State, State | None], _Run] = {}
        for run in runs:
            for outcome in _matching(machine, run.state, move, trace):
                state = run.state if outcome.after is None else outcome.after
                anchor = state if trace.loop_to == number else run.anchor
                after.setdefault((state, anchor), _Run(state, Step(run.state, outcome), run, anchor))
        if not after:
            raise ReplayError(_difference(machine, runs[0].state, number, move, trace))
        runs = list(after.values())
    return runs


def _matching(machine: Machine, state: State, move: Move, trace: Trace) -> list[Outcome]:
    """The outcomes of the thread's step that look like the move."""
    outcomes = machine.steps(state, move.thread)
    if move.after is None:
        return [outcome for outcome in outcomes if outcome.error == trace.prop]
    return [outcome for outcome in outcomes if outcome.after is not None and _seen(machine, outcome.after, trace) == move.after]


def _seen(machine: Machine, state: State, trace: Trace) -> View:
    """What a trace's views show of a state."""
    view = machine.view(state)
    return {key: value for key, value in view.items() if key not in trace.omitted} if trace.omitted else view


def _difference(machine: Machine, state: State, number: int, move: Move, trace: Trace) -> str:
    """What comes instead of a move that is no step of the program."""
    prop = trace.prop
    place = machine.place(state, move.thread)
    where = f"step {number}: {machine.program.threads[move.thread].name}"
    if place is None:
        return f"{where} is {machine.status(state, move.thread)}"
    where += f" at `{place.info.text}` ({place.phase})"
    outcomes = machine.steps(state, move.thread)
    if not outcomes:
        return f"{where} has to wait"
    errors = sorted({outcome.error for outcome in outcomes if outcome.error is not None})
    if move.after is None:
        return f"{where} does not violate {prop}" + (f", but {', '.join(errors)}" if errors else "")
    views = [_seen(machine, outcome.after, trace) for outcome in outcomes if outcome.after is not None]
    if not views:
        return f"{where} ends the execution" + (f", violating {', '.join(errors)}" if errors else "")
    nearest = min((_differing(view, move.after) for view in views), key=len)
    key = nearest[0]
    here = " or ".join(repr(value) for value in dict.fromkeys(view.get(key) for view in views))
    return f"{where}: {key} is {move.after.get(key)!r} in the trace, {here} in the execution"


def _differing(one: View, other: View) -> list[str]:
    keys = [*one, *(key for key in other if key not in one)]
    return [key for key in keys if one.get(key) != other.get(key)]


def _execution(machine: Machine, run: _Run) -> Execution:
    steps: list[Step] = []
    at: _Run | None = run
    while at is not None and at.step is not None:
        steps.append(at.step)
        at = at.before
    steps.reverse()
    return Execution(machine, tuple(steps), run.state)


# ---------------------------------------------------------------- does the end violate the property


def _fault(machine: Machine, prop: Property, trace: Trace, execution: Execution) -> str | None:
    """Why the execution does not show the violation; None if it does."""
    last = execution.steps[-1].outcome if execution.steps else None
    match prop.kind:
        case "liveness":
            return lasso_fault(machine, prop, execution, trace.loop_to)
        case "invariant":
            return None if prop.name in machine.broken_invariants(execution.last) else "the invariant holds in the last state"
        case "deadlock":
            return None if prop.name in machine.deadlocks(execution.last) else "the last state is no such deadlock"
        case _:
            return None if last is not None and last.error == prop.name else "the last step is not the error"


# ---------------------------------------------------------------- the witness


def _witness(machine: Machine, prop: Property, trace: Trace, execution: Execution) -> Witness:
    steps = tuple(_step(machine, number, step) for number, step in enumerate(execution.steps, 1))
    told = explained(machine, prop, execution, trace.loop_to)
    return Witness(
        steps,
        context_switches(step.outcome.thread for step in execution.steps),
        trace.loop_to,
        told.explanation,
        machine.view(machine.initial()),
        told.why,
        told.involved,
        told.key_steps,
        told.dispatches,
    )


def unjudged(machine: Machine, outcomes: Sequence[Outcome]) -> Witness:
    """An execution from the initial state on that is to show no violation, as a witness of itself."""
    steps: list[Step] = []
    state = machine.initial()
    for outcome in outcomes:
        steps.append(Step(state, outcome))
        state = state if outcome.after is None else outcome.after
    written = tuple(_step(machine, number, step) for number, step in enumerate(steps, 1))
    return Witness(written, context_switches(step.outcome.thread for step in steps), None, "", machine.view(machine.initial()))


def _step(machine: Machine, number: int, step: Step) -> WitnessStep:
    thread = step.outcome.thread
    place = machine.place(step.before, thread)
    if place is None:
        raise InternalError("a thread that stands nowhere has moved")
    info = place.info
    changes = {} if step.outcome.after is None else changed(machine.view(step.before), machine.view(step.outcome.after))
    return WitnessStep(
        step=number,
        thread=machine.program.threads[thread].name,
        statement=info.text,
        source=SourceRef(info.span.source.path, info.span.line),
        c_source=info.c_source,
        stack=place.stack,
        changes=changes,
        about=about(machine, step.before, thread),
        phase=place.phase,
    )
