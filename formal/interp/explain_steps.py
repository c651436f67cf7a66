"""Which steps of a witness matter.

A step matters if it changes an object that the violation involves (who holds a lock, the value of a variable), or waits for one; if it gave
a value that the violation rests on; if it schedules a bottom half that is dispatched, or dispatches it; if it spawns a thread that the
violation involves; if it wakes a thread whose going on matters, or put it to sleep; and if it is the last one of such a thread, or of all.
A lock that a thread takes and gives back with nothing of that in between does not matter.

In: the history, and what the violation involves. Out: numbers of steps, from 1, and what each step is about. Must not judge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from formal.interp.control import Node
from formal.interp.history import History
from formal.interp.items import At
from formal.interp.layout import OUTSIDE, State
from formal.interp.machine import Machine
from formal.program import (
    AioWaitWhile,
    Join,
    Lock,
    Poll,
    PostSem,
    Schedule,
    Spawn,
    Stmt,
    Unlock,
    WaitCond,
    WaitEvent,
    WaitSem,
    Wake,
    With,
    WriteEvent,
)
from formal.program import Place as PlaceOf
from formal.verdict import ViewValue

PENDING = ".pending"
STATUS = ".status"
_HOLDERS = (".owner", ".writer", ".readers")
_PARTS = (*_HOLDERS, ".count", ".set", ".waiters", PENDING)


def object_of(key: str) -> str:
    """The object that a key of a view belongs to: "BQL" of "BQL.owner"."""
    return next((key.removesuffix(part) for part in _PARTS if key.endswith(part)), key)


def about(machine: Machine, state: State, thread: int) -> str:
    """The object that the statement is about at which the thread stands, by its full name; empty where there is none."""
    node = machine.node(state, thread)
    if node is None or not isinstance(node.item, At):
        return ""
    ref = _ref(node.item.stmt)
    if ref is None:
        return ""
    target = machine.target(ref, node.env, state)
    return "" if target is None or target.slot == OUTSIDE else machine.views.name_of(target)


def _ref(stmt: Stmt) -> PlaceOf | None:
    match stmt:
        case Lock(ref=ref) | Unlock(ref=ref) | With(ref=ref) | WaitSem(ref=ref) | PostSem(ref=ref) | WaitEvent(ref=ref):
            return ref
        case WriteEvent(ref=ref) | WaitCond(ref=ref) | Wake(ref=ref) | Schedule(ref=ref) | Poll(ref=ref) | AioWaitWhile(ref=ref):
            return ref
        case Spawn(thread=ref) | Join(thread=ref):
            return ref
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Matter:
    """What the violation involves: objects and threads by name, and the steps that its evidence points at. `dispatches`: the steps that
    schedule or dispatch a bottom half that runs."""

    objects: Collection[str]
    threads: Collection[str]
    steps: Collection[int]
    dispatches: Collection[int]


def key_steps(history: History, matter: Matter) -> tuple[int, ...]:
    """The steps that matter, in order."""
    count = len(history.execution.steps)
    fixed = {count, *matter.steps, *_last_steps(history, matter.threads)} - {0}
    fixed |= {number for number in range(1, count + 1) if number in matter.dispatches or _spawns(history, matter, number)}
    chosen = fixed | {number for number in range(1, count + 1) if _matters(history, matter, number)}
    woken = {number for one in chosen for number in _woken(history, one)}
    fixed, chosen = fixed | woken, chosen | woken
    return tuple(sorted(_without_pairs(history, matter, chosen, fixed)))


def _last_steps(history: History, threads: Collection[str]) -> set[int]:
    last = {history.thread(number): number for number in range(1, len(history.execution.steps) + 1)}
    return {number for thread, number in last.items() if thread in threads}


def _matters(history: History, matter: Matter, number: int) -> bool:
    return any(object_of(key) in matter.objects for key in history.changes(number)) or _waits(history, matter.objects, number)


def _spawns(history: History, matter: Matter, number: int) -> bool:
    """Whether it spawns a thread that the violation involves."""
    spawned = [
        key.removesuffix(STATUS) for key, (_, after) in history.changes(number).items() if key.endswith(STATUS) and after == "running"
    ]
    return any(thread in matter.threads for thread in spawned)


def _woken(history: History, number: int) -> Iterator[int]:
    """Of a step that goes on after `wait C with L`: the one that went to sleep, and the one that woke it."""
    step = history.execution.steps[number - 1]
    node = history.machine.node(step.before, step.outcome.thread)
    if node is None or not isinstance(node.item, At) or node.item.phase != "wake":
        return
    thread = history.thread(number)
    key = f"{history.machine.views.name_of(node.item.targets[0])}.waiters"
    for earlier in range(number - 1, 0, -1):
        before, after = (set(_names(value)) for value in history.changes(earlier).get(key, ((), ())))
        if thread in before ^ after:
            yield earlier
        if thread in after - before:
            return


def _names(value: ViewValue | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _waits(history: History, objects: Collection[str], number: int) -> bool:
    """Whether the step gets past a wait for one of these, or tests what it waits for, and changes nothing."""
    step = history.execution.steps[number - 1]
    node = history.machine.node(step.before, step.outcome.thread)
    waiting = isinstance(node, Node) and isinstance(node.item, At) and isinstance(node.item.stmt, WaitEvent | Join)
    return waiting and about(history.machine, step.before, step.outcome.thread) in objects


# ---------------------------------------------------------------- locks that come and go


@dataclass(frozen=True, slots=True)
class _Holding:
    """One time that a thread had a lock: the steps that took it and gave it back."""

    thread: str
    taken: int
    given: int


def _without_pairs(history: History, matter: Matter, chosen: set[int], fixed: Collection[int]) -> set[int]:
    """Without those takings and givings back between which the thread does nothing that matters."""
    holdings = [one for name in matter.objects for one in _holdings(history, name)]
    for one in sorted(holdings, key=lambda one: one.given - one.taken):
        inside = (number for number in chosen if one.taken < number < one.given)
        if {one.taken, one.given}.isdisjoint(fixed) and all(history.thread(number) != one.thread for number in inside):
            chosen -= {one.taken, one.given}
    return chosen


def _holdings(history: History, name: str) -> list[_Holding]:
    found = []
    since: dict[str, int] = {}
    for number in range(1, len(history.execution.steps) + 1):
        changes: Mapping[str, object] = history.changes(number)
        if not any(name + part in changes for part in _HOLDERS):
            continue
        thread = history.thread(number)
        if thread in since:
            found.append(_Holding(thread, since.pop(thread), number))
        else:
            since[thread] = number
    return found
