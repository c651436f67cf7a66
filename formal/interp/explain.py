"""What went wrong: the evidence, one paragraph of plain English, and the steps that matter.

In: a property and an execution that violates it. Out: `Explained`. Must not judge: the replay has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from formal.interp import explain_waits
from formal.interp.environment import NOBODY
from formal.interp.execution import Execution
from formal.interp.explain_errors import Failure
from formal.interp.explain_loops import Lasso
from formal.interp.explain_steps import Matter, key_steps, object_of
from formal.interp.explain_values import Values, phrased
from formal.interp.history import History
from formal.interp.machine import Machine
from formal.interp.values import Reader, text
from formal.naming import grouped, listed
from formal.program import Expr, Property
from formal.verdict import Dispatch, Evidence, Fact, Hop, Loop, Owed

_HOLDERS = (".owner", ".writer", ".readers")


@dataclass(frozen=True, slots=True)
class Explained:
    """What a `Witness` says of the violation; the fields are those of that name."""

    explanation: str
    why: tuple[Evidence, ...]
    involved: tuple[str, ...]
    key_steps: tuple[int, ...]
    dispatches: tuple[Dispatch, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """A paragraph, what it rests on, and the objects and threads that it is about."""

    paragraph: str
    why: tuple[Evidence, ...]
    objects: tuple[str, ...]
    threads: tuple[str, ...] = ()


def explain(machine: Machine, prop: Property, execution: Execution, loop_to: int | None) -> str:
    """The paragraph alone."""
    return _told(History(machine, execution), prop, loop_to).paragraph


def explained(machine: Machine, prop: Property, execution: Execution, loop_to: int | None) -> Explained:
    """The explanation of a violation of any kind."""
    history = History(machine, execution)
    told = _told(history, prop, loop_to)
    steps = _pointed_at(told.why)
    objects = tuple(dict.fromkeys((*told.objects, *_locks_of(history, steps))))
    ran = [(one.scheduled, one.dispatched) for one in history.dispatches if one.dispatched is not None]
    matter = Matter(objects, {*told.threads, *_named(told.why)}, steps, {step for pair in ran for step in pair})
    return Explained(told.paragraph, told.why, objects, key_steps(history, matter), history.dispatches)


def _told(history: History, prop: Property, loop_to: int | None) -> _Told:
    if prop.kind == "deadlock":
        return _deadlock(history, prop.name)
    if prop.kind == "invariant" and prop.condition is not None:
        return _invariant(history, prop.condition)
    if prop.kind == "liveness" and prop.condition is not None and loop_to is not None:
        lasso = Lasso(history, prop.condition, prop.trigger, loop_to)
        return _Told(lasso.paragraph(), lasso.evidence(), lasso.involved())
    failure = Failure.of(history, prop.name)
    evidence = _ordered(history, failure.facts)
    return _Told(" ".join([failure.paragraph, *_held(history, failure.objects)]), evidence, failure.objects, (failure.thread,))


def _deadlock(history: History, prop: str) -> _Told:
    last = history.execution.last
    hops = explain_waits.hops(history, history.machine.deadlocks(last)[prop].members)
    going = [history.names[thread] for thread in history.machine.enabled(last)]
    return _Told(explain_waits.told(prop, hops, going), hops, tuple(dict.fromkeys(hop.wants for hop in hops if hop.wants)))


def _invariant(history: History, condition: Expr) -> _Told:
    last = history.execution.last
    values = Values(history, last)
    facts = values.facts(condition, NOBODY)
    said = f"`{text(condition)}` is {Reader(history.machine, last).shown(condition, NOBODY)}{phrased(facts)}."
    steps = len(history.execution.steps)
    when = f"After step {steps}, by {history.thread(steps)}, " if steps else "In the initial state, "
    threads = (history.thread(steps),) if steps else ()
    return _Told(" ".join([when + said, *_held(history)]), _ordered(history, facts), values.involved(condition, NOBODY), threads)


def _held(history: History, said: Collection[str] = ()) -> list[str]:
    """A sentence on the locks that are held at the end, but for those of which everything is said."""
    told = []
    for lock, holders, since in history.held():
        if lock in said:
            continue
        names = grouped(holders)
        told.append(f"{lock} is held by {listed(names)}{'' if since is None else f' since step {since}'}")
    return [f"{listed(told)}."] if told else []


def _ordered(history: History, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The values behind a violation, those that were set last first; then who holds which lock."""
    return tuple(dict.fromkeys((*sorted(facts, key=lambda one: -(one.step or 0)), *_holders(history))))


def _holders(history: History) -> list[Fact]:
    return [Fact(f"holder of {lock}", listed(grouped(holders)), since) for lock, holders, since in history.held()]


def _named(why: tuple[Evidence, ...]) -> list[str]:
    """The threads that the evidence names, but for those that only wait behind others."""
    hops = [one.thread for one in why if isinstance(one, Hop) and one.role != "hangs"]
    return [*hops, *(name for one in why if isinstance(one, Loop) for name in one.movers)]


def _pointed_at(why: tuple[Evidence, ...]) -> set[int]:
    """The steps that the evidence names."""
    found: set[int | None] = set()
    for one in why:
        match one:
            case Fact(step=step) | Hop(since=step) | Owed(since=step):
                found.add(step)
            case Loop():
                pass
    return {step for step in found if step is not None}


def _locks_of(history: History, steps: set[int]) -> list[str]:
    """Locks that change hands in these steps: what was given back when a value changed belongs to the story."""
    return [object_of(key) for number in sorted(steps) for key in history.changes(number) if key.endswith(_HOLDERS)]
