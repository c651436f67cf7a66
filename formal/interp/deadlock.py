"""Who waits for whom, and the three deadlock properties of a state.

In: states, and which of their threads can move. Out: `Deadlock`s, the evidence for docs/semantics.md section 7. Must not execute steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from formal.diagnostics import InternalError
from formal.interp.control import Controls, Node
from formal.interp.environment import Env
from formal.interp.expressions import Expressions, holders
from formal.interp.items import At, info_of
from formal.interp.layout import FINISHED, NOT_SPAWNED, OUTSIDE, Layout, State, Target, Undefined
from formal.interp.reach import Effect, Effects, Reach
from formal.interp.references import Function
from formal.interp.speaks import Speaks
from formal.program import (
    DEADLOCK_GLOBAL,
    DEADLOCK_LOCK_ORDER,
    DEADLOCK_PARTIAL,
    NONE,
    AioWaitWhile,
    Assert,
    Assume,
    Atomic,
    Await,
    Join,
    Lock,
    Place,
    Poll,
    Skip,
    WaitCond,
    WaitEvent,
    WaitSem,
    With,
)

Kind: TypeAlias = Literal["lock", "semaphore", "event", "condition", "context", "thread", "await", "atomic", "spawn"]
Find: TypeAlias = Callable[[State], Target]


@dataclass(frozen=True, slots=True)
class Wait:
    """What a thread that stands at one place waits for. Who can end it: the `holders` of the lock, if it is for one; else the `asked`
    threads, and all that may still do one of `effects`, or `deed` to the object; everybody for kind atomic. `target` finds the object."""

    kind: Kind
    target: Find | None = None
    mode: str = ""  # of a lock
    deed: str = ""  # what somebody else has to do to the object
    effects: Effects = frozenset()
    asked: tuple[Function, ...] = ()
    known: dict[tuple[int, int, int], bool] = field(default_factory=dict, compare=False)

    def holders(self, state: State) -> set[int]:
        """Of the lock that is waited for: a reader waits for the writer only."""
        if self.target is None:
            return set()
        target = self.target(state)
        if self.mode == "rdlock":
            return {state[target.slot]} - {NONE}
        return holders(state, target)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One member of a deadlock. `ends`: who could end its wait."""

    thread: int
    wait: Wait
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Deadlock:
    """The threads that wait for ever, and each one's wait."""

    prop: str
    members: tuple[Waiting, ...]


class Deadlocks:
    """The deadlock properties of one program."""

    def __init__(self, layout: Layout, controls: Controls, expressions: Expressions, reach: Reach) -> None:
        self._layout = layout
        self._program = layout.program
        self._controls = controls
        self._expressions = expressions
        self._reach = reach
        self._speaks = Speaks(layout, expressions)
        self._waits: dict[tuple[int, bool], Wait] = {}
        self._spawns = [Wait("spawn", effects=frozenset((Effect("spawn", thread),))) for thread in range(layout.threads)]

    # ------------------------------------------------------------ the three

    def find(self, state: State, waiting: list[int], moving: list[int], asked: Iterable[str]) -> Mapping[str, Deadlock]:
        """Those of `asked` that the state violates. `waiting`: running threads that cannot move; `moving`: that can."""
        found: dict[str, Deadlock] = {}
        if not waiting:
            return found
        for prop in asked:
            members = self._members(prop, state, waiting, moving)
            if members:
                found[prop] = Deadlock(prop, tuple(self._explained(state, thread) for thread in sorted(members)))
        return found

    def violated(self, prop: str, state: State, waiting: list[int], moving: list[int]) -> bool:
        """Whether the state violates this one."""
        return bool(waiting) and bool(self._members(prop, state, waiting, moving))

    def _members(self, prop: str, state: State, waiting: list[int], moving: list[int]) -> set[int]:
        if prop == DEADLOCK_GLOBAL:
            return set(waiting) if not moving and self._some_not_idle(state, waiting) else set()
        if prop == DEADLOCK_PARTIAL:
            if not moving or self.relieved(state, waiting, moving):
                return set()  # whoever could move will do
            return self._partial(state, waiting)
        if prop == DEADLOCK_LOCK_ORDER:
            return self._lock_order(state, waiting) if len(waiting) > 1 else set()
        raise InternalError(f"{prop} is no deadlock property")

    def relieved(self, state: State, waiting: list[int], moving: list[int]) -> bool:
        """Whether one of those who move could end the wait of each thread that waits and is not idle."""
        return all(self._ended_by(state, thread, moving) for thread in waiting if not self._idle(state[thread]))

    def _partial(self, state: State, waiting: list[int]) -> set[int]:
        """The greatest set in which everybody waits or is dormant, and nobody outside could end a wait."""
        inside = {*waiting, *(thread for thread in self._program.spawned if state[thread] in (NOT_SPAWNED, FINISHED))}
        outside = [thread for thread in range(self._layout.threads) if thread not in inside and not self._gone(state, thread)]
        while outside:
            freed = [thread for thread in sorted(inside) if self._ended_by(state, thread, outside)]
            inside.difference_update(freed)
            outside = freed
        return inside if self._some_not_idle(state, inside.intersection(waiting)) else set()

    def _gone(self, state: State, thread: int) -> bool:
        """Finished for good: it can end nothing, though it may still have a lock."""
        return state[thread] == FINISHED and thread not in self._program.spawned

    def _lock_order(self, state: State, waiting: list[int]) -> set[int]:
        held = {thread: wait.holders(state) for thread in waiting if (wait := self.wait(state, thread)).kind == "lock"}
        members = {thread for thread, owners in held.items() if owners}
        while True:
            free = {thread for thread in members if not held[thread] <= members}
            if not free:
                return members
            members -= free

    def _some_not_idle(self, state: State, threads: Iterable[int]) -> bool:
        return any(not self._idle(state[thread]) for thread in threads)

    def _idle(self, control: int) -> bool:
        node = self._controls.nodes[control]
        return node is not None and isinstance(node.item, At) and info_of(node.item.stmt).idle

    def _explained(self, state: State, thread: int) -> Waiting:
        everybody = [other for other in range(self._layout.threads) if not self._gone(state, other)]
        ends = tuple(other for other in everybody if self._ended_by(state, thread, (other,)))
        return Waiting(thread, self.wait(state, thread), ends)

    # ------------------------------------------------------------ who could end a wait

    def waiting(self, state: State, threads: Iterable[int]) -> tuple[Waiting, ...]:
        """What each of these running threads, which cannot move, waits for, and who could end that."""
        return tuple(self._explained(state, thread) for thread in threads)

    def _ended_by(self, state: State, thread: int, others: Iterable[int]) -> bool:
        wait = self.wait(state, thread)
        if wait.kind == "lock":
            return not wait.holders(state).isdisjoint(others)
        slot = OUTSIDE if wait.target is None else wait.target(state).slot
        asked = {found for find in wait.asked if (found := _value(find, state)) != NONE}
        return any(other in asked or self._could_end(wait, slot, other, state[other]) for other in others)

    def _could_end(self, wait: Wait, slot: int, other: int, control: int) -> bool:
        known = wait.known.get((slot, other, control))
        if known is None:
            may = self._reach.may(other, control)
            can = wait.kind == "atomic" or Effect(wait.deed, slot) in may or not wait.effects.isdisjoint(may)
            known = wait.known[slot, other, control] = can
        return known

    def wait(self, state: State, thread: int) -> Wait:
        """What a waiting or dormant thread waits for."""
        control = state[thread]
        node = self._controls.nodes[control]
        if node is None or not isinstance(node.item, At):
            return self._spawns[thread]
        asleep = node.item.phase == "wake" and bool(state[node.item.targets[0].slot] >> thread & 1)
        found = self._waits.get((control, asleep))
        if found is None:
            found = self._waits[control, asleep] = self._wait(node, node.item, asleep)
        return found

    def _wait(self, node: Node, at: At, asleep: bool) -> Wait:
        env = node.env
        match at.stmt:
            case Lock(mode=mode, ref=ref):
                return self._for_lock(ref, env, mode)
            case With(ref=ref):
                return self._for_lock(ref, env, "lock")
            case WaitCond():
                cond, mutex = at.targets
                return Wait("condition", lambda _: cond, deed="wake") if asleep else Wait("lock", lambda _: mutex, "lock")
            case WaitSem(ref=ref):
                return Wait("semaphore", self._locate(ref, env), deed="post")
            case WaitEvent(ref=ref):
                return Wait("event", self._locate(ref, env), deed="set")
            case Poll(ref=ref) | AioWaitWhile(ref=ref):
                return self._for_context(ref, env)
            case Join(thread=ref):
                locate = self._locate(ref, env)
                return Wait("thread", locate, asked=(lambda state: locate(state).slot,))
            case Await(condition=condition):
                topics = self._speaks.of(condition, env)
                return Wait("await", effects=frozenset(topics.effects), asked=tuple(topics.threads))
            case Atomic():
                return self._for_atomic(node, at.stmt)
            case _:
                return Wait("atomic")

    def _for_lock(self, ref: Place, env: Env, mode: str) -> Wait:
        return Wait("lock", self._locate(ref, env), mode)

    def _locate(self, ref: Place, env: Env) -> Find:
        return self._expressions.references.locate(ref, env)

    def _for_context(self, ref: Place, env: Env) -> Wait:
        contexts = [target.decl for target in self._expressions.references.elements(ref, env)]
        slots = [slot for bh in self._program.bhs if bh.context in contexts for slot in self._layout.slots(bh)]
        return Wait("context", self._locate(ref, env), effects=frozenset(Effect("schedule", slot) for slot in slots))

    def _for_atomic(self, node: Node, stmt: Atomic) -> Wait:
        """Its first statement behind any skip, assert or assume decides."""
        first = self._controls.standing(self._controls.into_atomic(stmt, node))
        while first is not None and first.env.atomic and isinstance(first.item, At) and isinstance(first.item.stmt, Skip | Assert | Assume):
            first = self._controls.standing(first.below)
        if first is None or not first.env.atomic or not isinstance(first.item, At):
            return Wait("atomic")
        return self._wait(first, first.item, asleep=False)


def _value(find: Function, state: State) -> int:
    try:
        return find(state)
    except Undefined:
        return NONE
