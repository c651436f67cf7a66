"""One walk: an execution by chance, and the violations on its way.

In: a machine, a scheduler, a number of steps. Out: a `Walk`. An invariant or a deadlock does not end it, an error does. Liveness is judged
where nobody can move any more, and where the walk comes back to a state that it was in: the steps between can be repeated for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from formal.interp import Machine, Outcome, State
from formal.verdict import Move, Trace
from formal.walks.judging import Judge
from formal.walks.schedulers import Scheduler


class End(StrEnum):
    """How walks ended."""

    STEPS = "took all their steps"
    ERROR = "ended in an error"
    ASSUMED = "ended silently, at a false assume or a disabled check"
    FINISHED = "came to their end: nobody runs any more"
    IDLE = "came to rest: whoever still runs is idle"
    STUCK = "got stuck: nobody can move, and not everybody is idle"


@dataclass(frozen=True, slots=True)
class Met:
    """A violation on the way: of which property, after how many steps (the error's own included), and where a lasso's loop begins."""

    prop: str
    steps: int
    loop_to: int | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """`last`: the state behind the last step that has one."""

    outcomes: tuple[Outcome, ...]
    last: State
    end: End
    met: tuple[Met, ...]


def walk(machine: Machine, judge: Judge, scheduler: Scheduler, steps: int) -> Walk:
    """At most `steps` steps from the initial state. Each property is met once."""
    state = machine.initial()
    outcomes: list[Outcome] = []
    met: dict[str, Met] = {}
    lassos = judge.lassos()
    while True:
        moves = judge.moves(state)
        waiting = judge.waiting(state, moves)
        for prop in judge.broken(state, waiting, list(moves)):
            met.setdefault(prop, Met(prop, len(outcomes)))
        for prop, loop_to in lassos.visit(state, frozenset(moves), outcomes[-1].thread if outcomes else None):
            met.setdefault(prop, Met(prop, len(outcomes), loop_to))
        if not moves or len(outcomes) == steps:
            return Walk(tuple(outcomes), state, End.STEPS if moves else _rest(machine, state, waiting), tuple(met.values()))
        outcome = scheduler.pick(moves)
        outcomes.append(outcome)
        if outcome.error is not None:
            met.setdefault(outcome.error, Met(outcome.error, len(outcomes)))
        if outcome.after is None:
            return Walk(tuple(outcomes), state, End.ASSUMED if outcome.ended else End.ERROR, tuple(met.values()))
        state = outcome.after


def _rest(machine: Machine, state: State, waiting: list[int]) -> End:
    if not waiting:
        return End.FINISHED
    places = [machine.place(state, thread) for thread in waiting]
    return End.IDLE if all(place is not None and place.info.idle for place in places) else End.STUCK


def trace_of(machine: Machine, outcomes: tuple[Outcome, ...], met: Met) -> Trace:
    """What the replay takes, of the walk's steps up to the violation."""
    moves = [Move(one.thread, None if one.after is None else machine.view(one.after)) for one in outcomes[: met.steps]]
    return Trace(met.prop, tuple(moves), met.loop_to)
