"""What each kind of synchronisation object does to a state: locks, semaphores, events, conditions, bottom halves.

In: the object's slot and the thread. Out: a `Change`, which gives the new state as a list, or None where the thread has to wait, or the
`Stop` that the error is. Must not know control.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, assert_never

from formal.diagnostics import InternalError
from formal.interp.layout import State, Target
from formal.program import NONE, NOT_OWNER, RANGE, RELOCK, BhDecl, MutexDecl, SemDecl

LockMode: TypeAlias = Literal["lock", "rdlock", "wrlock"]


@dataclass(frozen=True, slots=True)
class Stop:
    """The execution ends in this step: the property that is violated, or None (a false `assume`, or a disabled check)."""

    prop: str | None


Change: TypeAlias = Callable[[State], "list[Any] | Stop | None"]
Stops: TypeAlias = Callable[[str], Stop]


def acquire(mode: LockMode, target: Target, thread: int, stop: Stops) -> Change:
    """Take a mutex or a rwlock."""
    match mode:
        case "lock":
            return _lock_recursive(target, thread, stop) if _mutex(target).recursive else _lock(target.slot, thread, stop(RELOCK))
        case "rdlock":
            return _read_lock(target.slot, thread, stop(RELOCK))
        case "wrlock":
            return _write_lock(target.slot, thread, stop(RELOCK))
        case _:
            assert_never(mode)


def release(mode: LockMode, target: Target, thread: int, stop: Stops) -> Change:
    """Give it back."""
    match mode:
        case "lock":
            give = _unlock_recursive if _mutex(target).recursive else _give
            return give(target.slot, thread, stop(NOT_OWNER))
        case "rdlock":
            return _read_unlock(target.slot + 1, thread, stop(NOT_OWNER))
        case "wrlock":
            return _give(target.slot, thread, stop(NOT_OWNER))
        case _:
            assert_never(mode)


def _mutex(target: Target) -> MutexDecl:
    if not isinstance(target.decl, MutexDecl):
        raise InternalError("only a mutex can be locked")
    return target.decl


def _lock(slot: int, thread: int, relock: Stop) -> Change:
    def change(state: State) -> list[Any] | Stop | None:
        owner = state[slot]
        if owner != NONE:
            return relock if owner == thread else None
        new = list(state)
        new[slot] = thread
        return new

    return change


def _lock_recursive(target: Target, thread: int, stop: Stops) -> Change:
    slot, most, full = target.slot, _mutex(target).max_count, stop(RANGE)

    def change(state: State) -> list[Any] | Stop | None:
        if state[slot] not in (NONE, thread):
            return None
        if state[slot + 1] == most:
            return full
        new = list(state)
        new[slot] = thread
        new[slot + 1] += 1
        return new

    return change


def _give(slot: int, thread: int, not_owner: Stop) -> Change:
    def change(state: State) -> list[Any] | Stop:
        if state[slot] != thread:
            return not_owner
        new = list(state)
        new[slot] = NONE
        return new

    return change


def _unlock_recursive(slot: int, thread: int, not_owner: Stop) -> Change:
    def change(state: State) -> list[Any] | Stop:
        if state[slot] != thread:
            return not_owner
        new = list(state)
        new[slot + 1] -= 1
        if new[slot + 1] == 0:
            new[slot] = NONE
        return new

    return change


def _read_lock(slot: int, thread: int, relock: Stop) -> Change:
    bit = 1 << thread

    def change(state: State) -> list[Any] | Stop | None:
        writer, readers = state[slot], state[slot + 1]
        if writer == thread or readers & bit:
            return relock
        if writer != NONE:
            return None
        new = list(state)
        new[slot + 1] = readers | bit
        return new

    return change


def _write_lock(slot: int, thread: int, relock: Stop) -> Change:
    bit = 1 << thread

    def change(state: State) -> list[Any] | Stop | None:
        writer, readers = state[slot], state[slot + 1]
        if writer == thread or readers & bit:
            return relock
        if writer != NONE or readers:
            return None
        new = list(state)
        new[slot] = thread
        return new

    return change


def _read_unlock(slot: int, thread: int, not_owner: Stop) -> Change:
    bit = 1 << thread

    def change(state: State) -> list[Any] | Stop:
        if not state[slot] & bit:
            return not_owner
        new = list(state)
        new[slot] &= ~bit
        return new

    return change


def take_count(slot: int) -> Change:
    """Of a semaphore."""

    def change(state: State) -> list[Any] | None:
        if state[slot] == 0:
            return None
        new = list(state)
        new[slot] -= 1
        return new

    return change


def give_count(target: Target, stop: Stops) -> Change:
    """Post a semaphore, or schedule a bottom half: a plain one that is pending stays so."""
    decl, slot, full = target.decl, target.slot, stop(RANGE)
    if not isinstance(decl, SemDecl | BhDecl):
        raise InternalError("only semaphores and bottom halves count")
    most = decl.max_count
    if isinstance(decl, BhDecl) and not decl.oneshot:
        return put(slot, 1)

    def change(state: State) -> list[Any] | Stop:
        if state[slot] >= most:
            return full
        new = list(state)
        new[slot] += 1
        return new

    return change


def put(slot: int, value: int) -> Change:
    """Write a constant: an event's flag, a condition's waiters."""

    def change(state: State) -> list[Any]:
        new = list(state)
        new[slot] = value
        return new

    return change


def sleep(cond: Target, mutex: Target, thread: int, stop: Stops) -> Change:
    """The first step of `wait C with L`: give the mutex back and join the waiters."""
    where, lock, bit, not_owner = cond.slot, mutex.slot, 1 << thread, stop(NOT_OWNER)

    def change(state: State) -> list[Any] | Stop:
        if state[lock] != thread:
            return not_owner
        new = list(state)
        new[lock] = NONE
        new[where] |= bit
        return new

    return change


def wake(cond: Target, mutex: Target, thread: int) -> Change:
    """The second step: once woken, take the mutex again."""
    where, lock, bit = cond.slot, mutex.slot, 1 << thread

    def change(state: State) -> list[Any] | None:
        if state[where] & bit or state[lock] != NONE:
            return None
        new = list(state)
        new[lock] = thread
        return new

    return change
