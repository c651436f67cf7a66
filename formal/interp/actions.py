"""What the step of a statement does, where a thread stands at it.

In: a node whose top is `At`. Out: an `Action`: a function from the state to the outcomes of the step, none where the thread has to wait.
See the table in docs/semantics.md section 6. Compiled once a node, so that a step costs a look-up, a call and a tuple.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, assert_never

from formal.diagnostics import InternalError
from formal.interp import changes
from formal.interp.assigning import Assigner
from formal.interp.atomic import Atomics
from formal.interp.changes import Stop
from formal.interp.control import Node
from formal.interp.dispatching import Dispatcher
from formal.interp.items import Again, At, Guard, Rest, info_of
from formal.interp.landing import Action, Parts, Result, Run
from formal.interp.layout import FINISHED, NOT_SPAWNED, State, Target, Undefined
from formal.program import (
    SPAWN,
    AioWaitWhile,
    Assert,
    Assign,
    Assume,
    Atomic,
    Await,
    Block,
    Break,
    Call,
    Choose,
    Continue,
    Expr,
    For,
    If,
    Invoke,
    Join,
    Lock,
    Loop,
    Poll,
    PostSem,
    Ref,
    Return,
    Schedule,
    Skip,
    Spawn,
    Unlock,
    WaitCond,
    WaitEvent,
    WaitSem,
    Wake,
    While,
    With,
    WriteEvent,
)

Synchronisation: TypeAlias = Lock | Unlock | With | WaitSem | PostSem | WaitEvent | WriteEvent | WaitCond | Wake | Schedule


class Actions:
    """The actions of one program's nodes; `of[control]` is None until it is needed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._assigner = Assigner(parts)
        self._dispatcher = Dispatcher(parts)
        self.atomics = Atomics(parts, self.action)
        self._of: list[Action | None] = []

    def action(self, control: int) -> Action:
        """The action of a control that stands at a statement."""
        if control >= len(self._of):
            self._of.extend([None] * (len(self._parts.controls.nodes) - len(self._of)))
        found = self._of[control]
        if found is None:
            node = self._parts.controls.nodes[control]
            if node is None or not isinstance(node.item, At):
                raise InternalError(f"no thread can stand at control {control}")
            at = node.item
            found = self._of[control] = Action(self._compile(node, at), changes_something(at), isinstance(at.stmt, While))
        return found

    def possible(self, control: int, state: State) -> bool:
        """Whether whoever stands there can move."""
        node = self._parts.controls.nodes[control]
        if node is not None and isinstance(node.item, At) and isinstance(node.item.stmt, Atomic):
            return self.atomics.possible(node, node.item.stmt, state)
        return bool(self.action(control).run(state))

    def _compile(self, node: Node, at: At) -> Run:  # noqa: C901 - one arm a kind
        stmt, parts = at.stmt, self._parts
        match stmt:
            case Skip():
                return parts.deterministic(list, parts.go_on(node))
            case Assign() | Return():
                return self._assigner.run(node, at)
            case Call():
                return self._assigner.run(node, at) if at.phase == "assign" else self._dispatcher.call(node, stmt)
            case Assert(condition=condition, prop=prop):
                return self._check(node, condition, parts.stop(prop))
            case Assume(condition=condition):
                return self._check(node, condition, Stop(None))
            case Await(condition=condition):
                return self._check(node, condition, None)
            case If(condition=condition, then=then, otherwise=otherwise):
                return self._branch(node, condition, self._inside(node, then), self._inside(node, otherwise))
            case While(condition=condition, body=body):
                assert node.below is not None
                again = parts.controls.node(Again(stmt), node.below, node.env)
                inside = parts.controls.node(Rest(body, 0), again, node.env)
                return self._branch(node, condition, inside, node.below)
            case Choose(branches=branches):
                lands = [parts.go_to(node, self._inside(node, branch)) for branch in branches]
                named = [((f"branch {number}",), land) for number, land in enumerate(lands, 1)]
                return lambda state: [(choice, land(list(state))) for choice, land in named]
            case Spawn(thread=ref):
                return parts.for_target(ref, node.env, lambda target: self._spawn(node, target))
            case Join(thread=ref):
                return parts.for_target(ref, node.env, lambda target: self._join(node, target))
            case Atomic():
                return self.atomics.run(node, stmt)
            case Poll() | AioWaitWhile() | Invoke():
                return self._dispatcher.run(node, at)
            case Block() | Loop() | For() | Break() | Continue():
                raise InternalError(f"no thread stands at {info_of(stmt).text}")
            case _:
                return self._synchronise(node, at, stmt)

    def _synchronise(self, node: Node, at: At, stmt: Synchronisation) -> Run:  # noqa: C901 - one arm a kind
        thread, stop = node.env.thread, self._parts.stop
        match stmt:
            case Lock(mode=mode, ref=ref):
                return self._change(node, ref, lambda target: changes.acquire(mode, target, thread, stop))
            case Unlock(mode=mode, ref=ref):
                return self._change(node, ref, lambda target: changes.release(mode, target, thread, stop))
            case With():
                return self._with(node, at, stmt)
            case WaitSem(ref=ref):
                return self._change(node, ref, lambda target: changes.take_count(target.slot))
            case PostSem(ref=ref) | Schedule(ref=ref):
                return self._change(node, ref, lambda target: changes.give_count(target, stop))
            case WaitEvent(ref=ref):
                return self._change(node, ref, lambda target: lambda state: list(state) if state[target.slot] else None)
            case WriteEvent(ref=ref, value=value):
                return self._change(node, ref, lambda target: changes.put(target.slot, value))
            case Wake(ref=ref, all=True):
                return self._change(node, ref, lambda target: changes.put(target.slot, 0))
            case Wake(ref=ref):
                return self._parts.for_target(ref, node.env, lambda target: self._signal(node, target))
            case WaitCond():
                return self._wait_cond(node, at, stmt)
            case _:
                assert_never(stmt)

    # ------------------------------------------------------------ pieces

    def _inside(self, node: Node, block: Block) -> Node:
        return self._parts.controls.node(Rest(block, 0), node.below, node.env)

    def _change(self, node: Node, ref: Ref, make: Any) -> Run:
        land = self._parts.go_on(node)
        return self._parts.for_target(ref, node.env, lambda target: self._parts.deterministic(make(target), land))

    def _check(self, node: Node, condition: Expr, otherwise: Stop | None) -> Run:
        """Goes on where the condition holds."""
        test = self._parts.expressions.compile(condition, node.env)
        return self._parts.deterministic(lambda state: list(state) if test(state) else otherwise, self._parts.go_on(node))

    def _branch(self, node: Node, condition: Expr, then: Node, otherwise: Node) -> Run:
        test = self._parts.expressions.compile(condition, node.env)
        yes, no = self._parts.go_to(node, then), self._parts.go_to(node, otherwise)
        undefined: Sequence[Result] = (((), self._parts.range),)

        def run(state: State) -> Sequence[Result]:
            try:
                return (((), yes(list(state)) if test(state) else no(list(state))),)
            except Undefined:
                return undefined

        return run

    def _with(self, node: Node, at: At, stmt: With) -> Run:
        parts, thread = self._parts, node.env.thread
        if at.phase == "leave":
            return parts.deterministic(changes.release("lock", at.targets[0], thread, parts.stop), parts.go_on(node, at.mode))

        def enter(lock: Target) -> Run:
            guard = parts.controls.node(Guard(stmt, lock), node.below, node.env)
            land = parts.go_to(node, parts.controls.node(Rest(stmt.body, 0), guard, node.env))
            return parts.deterministic(changes.acquire("lock", lock, thread, parts.stop), land)

        return parts.for_target(stmt.ref, node.env, enter)

    def _wait_cond(self, node: Node, at: At, stmt: WaitCond) -> Run:
        parts, thread = self._parts, node.env.thread
        if at.phase == "wake":
            cond, mutex = at.targets
            return parts.deterministic(changes.wake(cond, mutex, thread), parts.go_on(node))

        def sleep(cond: Target, mutex: Target) -> Run:
            asleep = parts.controls.node(At(stmt, "wake", targets=(cond, mutex)), node.below, node.env)
            return parts.deterministic(changes.sleep(cond, mutex, thread, parts.stop), parts.go_to(node, asleep))

        return parts.for_target(stmt.ref, node.env, lambda cond: parts.for_target(stmt.lock, node.env, lambda mutex: sleep(cond, mutex)))

    def _signal(self, node: Node, cond: Target) -> Run:
        """Wakes any one of the waiters."""
        land, slot = self._parts.go_on(node), cond.slot
        wakes = [(1 << thread.id, (f"wake {thread.name}",)) for thread in self._parts.program.threads]

        def run(state: State) -> Sequence[Result]:
            waiters = state[slot]
            if not waiters:
                return (((), land(list(state))),)
            return [(choice, land(changes.put(slot, waiters & ~bit)(state))) for bit, choice in wakes if waiters & bit]  # type: ignore[arg-type]

        return run

    def _spawn(self, node: Node, target: Target) -> Run:
        parts, thread = self._parts, target.slot
        jump, locals_slot = parts.controls.start(thread), parts.layout.locals_of(thread)
        running = parts.stop(SPAWN)

        def change(state: State) -> list[Any] | Stop:
            if state[thread] not in (NOT_SPAWNED, FINISHED):
                return running
            new = list(state)
            new[thread] = jump.control
            new[locals_slot] = jump.padding
            return new

        return parts.deterministic(change, parts.go_on(node))

    def _join(self, node: Node, target: Target) -> Run:
        thread = target.slot
        return self._parts.deterministic(lambda state: list(state) if state[thread] == FINISHED else None, self._parts.go_on(node))


def changes_something(at: At) -> bool:
    """Whether the step changes more than where the thread stands (docs/semantics.md, `atomic` in detail)."""
    match at.stmt:
        case Skip() | If() | While() | Assert() | Assume() | Await() | Join() | WaitEvent() | Choose() | Invoke():
            return False
        case _:
            return True
