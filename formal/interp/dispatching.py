"""Steps that enter a body: calls, polls, `aio_wait_while`, and the picks of `invoke any`.

In: a node at such a statement. Out: its action. Must not know other statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from formal.diagnostics import InternalError
from formal.interp.changes import Stop
from formal.interp.control import Node
from formal.interp.items import Arguments, At, Called, Testing
from formal.interp.landing import WAITS, Choice, Land, Parts, Result, Run, fits
from formal.interp.layout import State, Target, Undefined
from formal.program import NESTING, WRONG_CONTEXT, AioWaitWhile, Call, ContextDecl, Invoke, LocalDecl, Poll, RefParam


class Dispatcher:
    """The entering of bodies in one program."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(self, node: Node, at: At) -> Run:
        """The action of a poll, an `aio_wait_while` or an `invoke`."""
        parts = self._parts
        match at.stmt:
            case Poll(ref=ref, blocking=blocking):
                behind = node.below
                return parts.for_target(ref, node.env, lambda context: self._poll(node, context, behind, blocking=blocking))
            case AioWaitWhile() if at.phase == "enter":
                return parts.for_target(at.stmt.ref, node.env, lambda context: self._enter(node, at.stmt, context))  # type: ignore[arg-type]
            case AioWaitWhile() if at.phase == "test":
                return self._test(node, at.stmt)
            case AioWaitWhile():
                behind = parts.controls.node(Testing(at.stmt), node.below, node.env)
                return parts.for_target(at.stmt.ref, node.env, lambda context: self._poll(node, context, behind, blocking=True))
            case Invoke():
                return self._invoke(node, at, at.stmt)
            case _:
                raise InternalError("this statement enters no body")

    # ------------------------------------------------------------ bottom halves

    def _poll(self, node: Node, context: Target, behind: Node | None, *, blocking: bool) -> Run:
        if not isinstance(context.decl, ContextDecl) or behind is None:
            raise InternalError("only contexts are polled")
        ready = self._bodies(node, context.decl, behind)
        nothing = None if blocking else self._parts.go_on(node)
        if node.env.nested < self._parts.program.bh_nesting:
            lands: list[tuple[int, Choice, Land]] = [(slot, (f"dispatch {name}",), land) for slot, name, land in ready]
            return lambda state: _dispatch(state, lands, nothing)
        slots, nested = [slot for slot, _, _ in ready], self._parts.stop(NESTING)

        def too_deep(state: State) -> Sequence[Result]:
            if any(state[slot] for slot in slots):
                return (((), nested),)
            return WAITS if nothing is None else (((), nothing(list(state))),)

        return too_deep

    def _bodies(self, node: Node, context: ContextDecl, behind: Node) -> list[tuple[int, str, Land]]:
        """Slot, name and way into the body of each bottom half of the context."""
        found = []
        for bh in self._parts.program.bhs:
            if bh.context is not context:
                continue
            for index, slot in enumerate(self._parts.layout.slots(bh)):
                into = self._parts.controls.dispatch(bh, index, behind, node.env)
                found.append((slot, into.env.frames[-1], self._parts.go_to(node, into)))
        return found

    def _enter(self, node: Node, stmt: AioWaitWhile, context: Target) -> Run:
        if not isinstance(context.decl, ContextDecl):
            raise InternalError("only contexts are waited in")
        inside = self._parts.expressions.membership(context.decl)[node.env.thread]
        test = self._test(node, stmt)
        wrong: Sequence[Result] = (((), self._parts.stop(WRONG_CONTEXT)),)
        undefined: Sequence[Result] = (((), self._parts.range),)

        def enter(state: State) -> Sequence[Result]:
            try:
                return test(state) if inside(state) else wrong
            except Undefined:
                return undefined

        return enter

    def _test(self, node: Node, stmt: AioWaitWhile) -> Run:
        parts = self._parts
        condition = parts.expressions.compile(stmt.condition, node.env)
        poll = parts.go_to(node, parts.controls.node(At(stmt, "poll"), node.below, node.env))
        done = parts.go_on(node)
        undefined: Sequence[Result] = (((), parts.range),)

        def test(state: State) -> Sequence[Result]:
            try:
                return (((), poll(list(state)) if condition(state) else done(list(state))),)
            except Undefined:
                return undefined

        return test

    # ------------------------------------------------------------ procedures and callbacks

    def call(self, node: Node, stmt: Call) -> Run:
        """The step of a call that has something to evaluate or a bound to watch."""
        parts, env = self._parts, node.env
        proc = parts.program.procs[stmt.proc]
        if self._too_deep(stmt.proc, node):
            nested: Sequence[Result] = (((), parts.stop(NESTING)),)
            return lambda _: nested
        values = []
        locates = []
        for param, argument in zip(proc.params, stmt.arguments, strict=True):
            match param:
                case LocalDecl(type=kind):
                    values.append((parts.expressions.compile(argument, env), fits(kind)))  # type: ignore[arg-type]
                case RefParam():
                    locates.append((param, parts.expressions.references.locate(argument, env)))  # type: ignore[arg-type]
                case _:
                    assert_never(param)
        slot, result = parts.layout.locals_of(env.thread), () if proc.result is None else env.reserve(proc.result).padding(env.depth)
        outside: Sequence[Result] = (((), parts.range),)
        lands: dict[Arguments, Land] = {}

        def run(state: State) -> Sequence[Result]:
            try:
                given = [value(state) for value, _ in values]
                arguments = tuple([(param, locate(state)) for param, locate in locates])
            except Undefined:
                return outside
            if not all(fit(value) for value, (_, fit) in zip(given, values, strict=True)):
                return outside
            land = lands.get(arguments)
            if land is None:
                land = lands[arguments] = self._into(node, stmt, arguments, len(result) + len(given))
            new = list(state)
            new[slot] = (*new[slot], *result, *given)
            return (((), land(new)),)

        return run

    def _into(self, node: Node, stmt: Call, arguments: Arguments, pushed: int) -> Land:
        if node.below is None:
            raise InternalError("no frame around a call")
        to = self._parts.controls.call(stmt, arguments, node.below, node.env)
        return self._parts.go_to(node, to, node.env.depth + pushed)

    def _too_deep(self, proc: str, node: Node) -> bool:
        program = self._parts.program
        return program.procs[proc].recursive and node.env.calls.count(proc) >= program.recursion

    def _invoke(self, node: Node, at: At, stmt: Invoke) -> Run:
        """The pick of one of the callbacks that are left; without `any`, the step into a recursive one."""
        parts = self._parts
        picks = at.remaining if stmt.any_order else at.remaining[:1]
        outcomes: list[tuple[Choice, Land | Stop]] = []
        for name in picks:
            left = tuple(other for other in at.remaining if other != name)
            behind = parts.controls.node(Called(stmt, left), node.below, node.env)
            deep = self._too_deep(name, node)
            outcomes.append(((f"call {name}",), parts.stop(NESTING) if deep else parts.go_to(node, parts.controls.callback(name, behind))))

        def run(state: State) -> Sequence[Result]:
            return [(choice, land if isinstance(land, Stop) else land(list(state))) for choice, land in outcomes]

        return run


def _dispatch(state: State, ready: Sequence[tuple[int, Choice, Land]], nothing: Land | None) -> Sequence[Result]:
    """Any pending bottom half, its flag cleared; else on to the next statement, or waiting."""
    outcomes: list[Result] = []
    for slot, choice, land in ready:
        if state[slot]:
            new = list(state)
            new[slot] -= 1
            outcomes.append((choice, land(new)))
    if outcomes or nothing is None:
        return outcomes
    return (((), nothing(list(state))),)
