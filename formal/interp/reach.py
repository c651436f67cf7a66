"""What a thread may still do from where it stands, whatever its tests say.

In: a control stack. Out: the `Effect`s of every statement that control can reach from there (docs/semantics.md section 7), the bodies of
all bottom halves of the contexts that it may poll included. Bodies are summarised, so that nesting and recursion cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from formal.diagnostics import InternalError
from formal.interp.control import Controls, Node
from formal.interp.environment import Env, thread_env
from formal.interp.items import Again, Assigning, At, Called, Each, Frame, Guard, Item, Mode, Rest, Testing
from formal.interp.layout import FINISHED, Layout, Target
from formal.interp.likeness import Likeness, Renaming
from formal.interp.references import References
from formal.program import (
    AioWaitWhile,
    Assign,
    Atomic,
    BhDecl,
    Block,
    Break,
    Call,
    Choose,
    Continue,
    For,
    If,
    Invoke,
    LocalDecl,
    LocalPlace,
    Lock,
    Loop,
    Place,
    Poll,
    PostSem,
    ProcDecl,
    RefParam,
    Return,
    Schedule,
    Spawn,
    Stmt,
    ThreadDecl,
    ThreadLocalDecl,
    Unlock,
    WaitCond,
    WaitSem,
    Wake,
    While,
    With,
    WriteEvent,
)


class Effect(NamedTuple):
    """One thing that is done to one object: its slot, a thread's id for spawn, a context's position for poll."""

    kind: str  # write, lock, take, post, set, reset, wake, schedule, poll, spawn
    object: int


Effects: TypeAlias = frozenset[Effect]
Modes: TypeAlias = frozenset[Mode]
NOTHING: Final[Effects] = frozenset()
NEXT: Final[Modes] = frozenset(("next",))
ONWARD: Final[Modes] = frozenset(("next", "continue"))


class Flow(NamedTuple):
    """What statements may do, and how control may leave them."""

    effects: Effects
    modes: Modes

    def then(self, other: Flow) -> Flow:
        """The other one behind, where control gets there."""
        if "next" not in self.modes:
            return self
        return Flow(self.effects | other.effects, (self.modes - NEXT) | other.modes)

    def either(self, other: Flow) -> Flow:
        """One of the two."""
        return Flow(self.effects | other.effects, self.modes | other.modes)

    def looped(self) -> Flow:
        """A `while` around it, or the passes of a `for` that has no other end."""
        return Flow(self.effects, NEXT | (self.modes & {"return"}))

    def called(self) -> Flow:
        """A body around it: control comes back if it gets to its end."""
        return Flow(self.effects, NEXT if self.modes else frozenset())


Body: TypeAlias = tuple[Frame, int]  # and the thread that runs it
NONE_OF_IT: Final = Flow(NOTHING, frozenset())
PASSES: Final = Flow(NOTHING, NEXT)


class Reach:
    """The effects that are within reach, by control."""

    def __init__(self, layout: Layout, controls: Controls, references: References, likeness: Likeness | None = None) -> None:
        self._layout = layout
        self._likeness = likeness
        self._shut: frozenset[int] = frozenset()  # slots of locks that nobody can take meanwhile
        self._program = layout.program
        self._controls = controls
        self._references = references
        self._bodies: dict[Body, Flow] = {}
        self._callers: dict[Body, dict[Body, None]] = {}  # those whose flow rests on one's
        self._asking: Body | None = None
        self._todo: dict[Body, None] = {}
        self._may: dict[tuple[int, int], Effects] = {}

    def may(self, thread: int, control: int) -> Effects:
        """What the thread may do, standing there; if it is dormant, what its body may."""
        key = (thread, control)
        found = self._may.get(key)
        if found is None:
            renaming = None if self._likeness is None else self._likeness.of(thread, control, self._shut)
            found = self._settled(thread, control) if renaming is None else self._renamed(renaming)
            self._may[key] = found
        return found

    def _renamed(self, renaming: Renaming) -> Effects:
        there = self.may(renaming.thread, renaming.control)
        return frozenset([Effect(kind, renaming.object(kind, thing)) for kind, thing in there])

    def _settled(self, thread: int, control: int) -> Effects:
        """The summaries of bodies that were met before are final. Of new ones, first whether control comes back, then what they do."""
        known = set(self._bodies)
        found = self._effects(thread, control)
        if len(self._bodies) == len(known):
            return found
        self._iterate(known, lambda flow: flow.modes)
        for key, flow in self._bodies.items():
            if key not in known:
                self._bodies[key] = Flow(NOTHING, flow.modes)
        self._iterate(known, lambda flow: flow)
        return self._effects(thread, control)

    def _iterate(self, known: set[Body], told: Callable[[Flow], object]) -> None:
        """Until nothing changes of what is told: ways back only vanish, and, once they are settled, effects only grow."""
        todo = self._todo = {body: None for body in self._bodies if body not in known}
        while todo:
            body, _ = todo.popitem()  # what is called was met behind its callers
            self._asking = body
            flow = self._body(*body)
            self._asking = None
            before, self._bodies[body] = self._bodies[body], flow
            if told(flow) != told(before):
                todo.update(dict.fromkeys(self._callers.get(body, ())))

    def _effects(self, thread: int, control: int) -> Effects:
        node = self._controls.nodes[control]
        if node is not None:
            return self._from(node)
        if control == FINISHED and thread not in self._program.spawned:
            return NOTHING
        return self._summary(Frame(self._program.threads[thread].decl, (), thread), thread).effects

    # ------------------------------------------------------------ from a stack

    def _from(self, node: Node) -> Effects:
        flow = PASSES
        rest: Node | None = node
        while rest is not None:
            if isinstance(rest.item, Frame) and isinstance(rest.item.decl, BhDecl):
                flow = Flow(flow.effects, NEXT)  # control is taken to come back
            elif flow.modes:
                flow = self._climb(rest.item, rest.env, flow)
            rest = rest.below
        return flow.effects

    def _climb(self, item: Item, env: Env, flow: Flow) -> Flow:
        """Behind what has been reached: what this item still has to do. `flow.modes` says how control comes to it."""
        match item:
            case At():
                return self._standing(item, env)
            case Rest(block=block, place=place):
                return flow.then(self._block(block, place, env))
            case Again(stmt=stmt):
                again = self._statement(stmt, env) if flow.modes & ONWARD else NONE_OF_IT
                left = flow.modes & {"return"} | (NEXT if "break" in flow.modes else frozenset())
                return Flow(flow.effects | again.effects, left | again.modes)
            case Each(stmt=stmt, place=place):
                more = self._passes(stmt, place + 1, env) if flow.modes & ONWARD else NONE_OF_IT
                left = flow.modes & {"return"} | (NEXT if "break" in flow.modes else frozenset())
                return Flow(flow.effects | more.effects, left | more.modes)
            case Guard(lock=lock):
                return Flow(flow.effects | self._on("lock", (lock,)), flow.modes)
            case Frame():
                return flow.called()
            case Assigning(stmt=stmt):
                return flow.then(self._assignment(stmt.place, env))
            case Testing(stmt=stmt):
                return flow.then(self._statement(stmt, env))
            case Called(stmt=stmt, remaining=remaining):
                return flow.then(self._invocation(remaining, stmt.any_order, env))
            case _:
                return flow

    def _standing(self, at: At, env: Env) -> Flow:
        match at.stmt, at.phase:
            case With(), "leave":
                return Flow(self._on("lock", at.targets), frozenset((at.mode,)))
            case WaitCond(), "wake":
                return Flow(self._on("lock", at.targets[1:]), NEXT)
            case Call(place=place), "assign":
                return self._assignment(place, env)
            case Invoke(any_order=any_order), _:
                return self._invocation(at.remaining, any_order, env)
            case stmt, _:
                return self._statement(stmt, env)

    # ------------------------------------------------------------ statements

    def _block(self, block: Block, place: int, env: Env) -> Flow:
        flow = PASSES
        for stmt in block.statements[place:]:
            flow = flow.then(self._statement(stmt, env))
        return flow

    def _statement(self, stmt: Stmt, env: Env) -> Flow:  # noqa: C901 - one arm a kind
        match stmt:
            case Block():
                return self._block(stmt, 0, env)
            case If(then=then, otherwise=otherwise):
                return self._block(then, 0, env).either(self._block(otherwise, 0, env))
            case While(body=body):
                return self._block(body, 0, env).looped()
            case Loop(body=body):
                inside = self._block(body, 0, env)
                return Flow(inside.effects, inside.modes & {"return"} | (NEXT if "break" in inside.modes else frozenset()))
            case For():
                return self._passes(stmt, 0, env)
            case Choose(branches=branches):
                flow = NONE_OF_IT
                for branch in branches:
                    flow = flow.either(self._block(branch, 0, env))
                return flow
            case With(ref=ref, body=body):
                return Flow(self._effect("lock", ref, env), NEXT).then(self._block(body, 0, env))
            case Atomic(body=body):
                return self._block(body, 0, env)
            case Break():
                return Flow(NOTHING, frozenset(("break",)))
            case Continue():
                return Flow(NOTHING, frozenset(("continue",)))
            case Return():
                return Flow(NOTHING, frozenset(("return",)))
            case Call():
                return self._call(stmt, env).then(self._assignment(stmt.place, env))
            case Invoke(hook=hook, any_order=any_order):
                return self._invocation(self._program.hooks.get(hook, ()), any_order, env)
            case Poll(ref=ref) | AioWaitWhile(ref=ref):
                return self._poll(ref, env)
            case _:
                return Flow(self._simple(stmt, env), NEXT)

    def _simple(self, stmt: Stmt, env: Env) -> Effects:
        match stmt:
            case Assign(place=place):
                return self._assignment(place, env).effects
            case Lock(ref=ref) | Unlock(ref=ref) | WaitCond(lock=ref):
                return self._effect("lock", ref, env)
            case WaitSem(ref=ref):
                return self._effect("take", ref, env)
            case PostSem(ref=ref):
                return self._effect("post", ref, env)
            case WriteEvent(ref=ref, value=value):
                return self._effect("set" if value else "reset", ref, env)
            case Wake(ref=ref):
                return self._effect("wake", ref, env)
            case Schedule(ref=ref):
                return self._effect("schedule", ref, env)
            case Spawn(thread=ref):
                return self._effect("spawn", ref, env)
            case _:
                return NOTHING

    def _passes(self, stmt: For, place: int, env: Env) -> Flow:
        flow = PASSES
        for value in stmt.domain[place:]:
            inside = self._block(stmt.body, 0, env.bind(stmt.binder, value))
            onward = NEXT if inside.modes & ONWARD else frozenset[Mode]()
            broken = frozenset[Mode](("break",)) & inside.modes
            flow = flow.then(Flow(inside.effects, inside.modes & {"return"} | onward | broken))
        return Flow(flow.effects, flow.modes - {"break"} | (NEXT if "break" in flow.modes else frozenset()))

    def _assignment(self, place: Place | None, env: Env) -> Flow:
        if place is None or isinstance(place, LocalPlace):
            return PASSES
        return Flow(self._effect("write", place, env), NEXT)

    def _effect(self, kind: str, place: Place, env: Env) -> Effects:
        return self._on(kind, self._references.elements(place, env))

    def _on(self, kind: str, targets: tuple[Target, ...]) -> Effects:
        """Locals concern nobody else; thread-locals count as one thing for all threads; an inexact target stands for all elements."""
        found: set[Effect] = set()
        for target in targets:
            match target.decl:
                case LocalDecl():
                    pass
                case ThreadLocalDecl():
                    found.add(Effect(kind, self._layout.base(target.decl)))
                case _ if target.exact:
                    found.add(Effect(kind, target.slot))
                case _:
                    found.update(Effect(kind, other.slot) for other in self._layout.everything(target.decl))
        return frozenset(found)

    # ------------------------------------------------------------ bodies

    def _poll(self, ref: Place, env: Env) -> Flow:
        contexts = self._references.elements(ref, env)
        effects = set(self._on("poll", contexts))
        for bh in self._program.bhs:
            if any(target.decl is bh.context for target in contexts):
                for index in range(self._layout.size(bh)):
                    effects |= self._summary(Frame(bh, (), index), env.thread).effects
        return Flow(frozenset(effects), NEXT)

    def _invocation(self, callbacks: tuple[str, ...], any_order: bool, env: Env) -> Flow:
        bodies = [self._summary(Frame(self._program.procs[name]), env.thread) for name in callbacks]
        if any_order:
            return Flow(NOTHING.union(*(body.effects for body in bodies)), NEXT)
        flow = PASSES
        for body in bodies:
            flow = flow.then(body)
        return flow

    def _call(self, stmt: Call, env: Env) -> Flow:
        proc = self._program.procs[stmt.proc]
        arguments = [
            (param, self._argument(argument, env))  # type: ignore[arg-type]
            for param, argument in zip(proc.params, stmt.arguments, strict=True)
            if isinstance(param, RefParam)
        ]
        return self._summary(Frame(proc, tuple(arguments)), env.thread)

    def _argument(self, place: Place, env: Env) -> Target:
        """What a `ref` argument stands for; an inexact target, if that depends on the state."""
        if isinstance(place, LocalPlace):
            return Target(place.decl, None, 0, True)
        target = self._references.fixed(place, env)
        return self._references.elements(place, env)[0] if target is None else target

    def _summary(self, frame: Frame, thread: int) -> Flow:
        body = (frame, thread)
        if self._asking is not None:
            self._callers.setdefault(body, {})[self._asking] = None
        found = self._bodies.get(body)
        if found is None:
            found = self._bodies[body] = PASSES
            self._todo[body] = None
        return found

    def _body(self, frame: Frame, thread: int) -> Flow:
        match frame.decl:
            case ProcDecl(body=body):
                env = replace(Env(thread), refs=dict(frame.arguments))
            case BhDecl(body=body, binder=binder):
                env = Env(thread) if binder is None or frame.index is None else Env(thread).bind(binder, frame.index)
            case ThreadDecl(body=body):
                env = thread_env(self._program.threads[thread])
            case _:
                raise InternalError("no such body")
        return self._block(body, 0, env).called()
