"""What steps touch: what they do to the objects, and what they look at.

In: control stacks, expressions. Out: sets of `Effect`s: of one step, of an expression, and of everything that a thread may still do from
where it stands; and whether one of two threads' steps may be in the way of the other. Stands on `reach`, to which it adds what is looked
at, and the elements of arrays and thread-locals one by one. Must not know searches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Final, assert_never

from formal.diagnostics import InternalError
from formal.interp.control import Controls
from formal.interp.environment import Env
from formal.interp.expressions import Expressions, Question
from formal.interp.items import At as Standing
from formal.interp.items import Frame, Item
from formal.interp.layout import FINISHED, OUTSIDE, Layout, Target
from formal.interp.likeness import Likeness
from formal.interp.reach import NEXT, NOTHING, Effect, Effects, Flow, Reach
from formal.interp.references import index_of, is_fixed
from formal.program import (
    NONE,
    AioWaitWhile,
    Assert,
    Assign,
    Assume,
    At,
    Atomic,
    Await,
    Binary,
    Block,
    Bound,
    Call,
    Choose,
    Conditional,
    ContextDecl,
    ContextOf,
    Count,
    CurrentContext,
    Expr,
    Finished,
    For,
    Holds,
    If,
    InContext,
    Invoke,
    IsSet,
    Join,
    Literal,
    LocalDecl,
    LocalPlace,
    Lock,
    Member,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Poll,
    PostSem,
    ProcDecl,
    Quantifier,
    Read,
    Result,
    Return,
    Schedule,
    Self,
    Skip,
    Spawn,
    Stmt,
    Unary,
    Unlock,
    ViaParam,
    WaitCond,
    WaitEvent,
    WaitSem,
    Wake,
    While,
    With,
    WriteEvent,
)

# By what a step does, or looks at: what of another thread, done to or looked at in the same object, it must not be put before. The others
# it may be put before: they can happen as well behind it, and the same comes of it. What only makes another thread's wait end is not in
# the way: giving a lock back of taking it, `post` of `wait`, `set` of `wait`. See docs/decisions/005-merging.md.
#
# read, write: a variable. lock, release, owner: a lock as a whole; held, alters: a lock and one thread. take, post, count: a semaphore.
# set, reset, waits, flag: an event. wake, sleep: a condition. schedule, dispatch, pending: a bottom half; poll, schedules in, pending in:
# its context. spawn, join, asks, moves: a thread; finished, finishes: whether it is (who spawns it changes that, too); at, passes: a
# thread and a statement.
IN_THE_WAY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "read": ("write",),
        "write": ("read", "write"),
        "lock": ("lock", "owner"),
        "release": ("owner",),
        "owner": ("lock", "release"),
        "held": ("alters",),
        "alters": ("held",),
        "take": ("take", "post", "count"),
        "post": ("count",),
        "count": ("take", "post"),
        "set": ("reset", "flag"),
        "reset": ("set", "waits", "flag"),
        "waits": ("reset",),
        "flag": ("set", "reset"),
        "wake": ("sleep",),
        "sleep": ("wake",),
        "schedule": ("pending",),
        "schedules in": ("poll",),
        "dispatch": ("schedule",),
        "poll": ("poll", "pending in"),
        "pending": ("schedule",),
        "pending in": ("poll",),
        "spawn": ("join",),
        "join": ("spawn",),
        "passes": ("at",),
        "finishes": ("finished", "spawn"),
        "asks": ("moves",),
    }
)
# A statement that may have to wait, inside of an atomic: whether it has to is looked at, too.
STRICT: Final[Mapping[str, str]] = MappingProxyType({"lock": "owner", "take": "count", "waits": "flag", "join": "finished"})


def in_the_way(effects: Iterable[Effect]) -> Effects:
    """What others must not do, for a step that has these effects to be put before all of theirs."""
    return frozenset([Effect(kind, effect.object) for effect in effects for kind in IN_THE_WAY.get(effect.kind, ())])


class Touching(Reach):
    """What the threads of one program touch. `shut`: the slots of locks that nobody can take meanwhile."""

    def __init__(
        self,
        layout: Layout,
        controls: Controls,
        expressions: Expressions,
        shut: frozenset[int] = frozenset(),
        likeness: Likeness | None = None,
    ) -> None:
        super().__init__(layout, controls, expressions.references, likeness)
        self._expressions = expressions
        self._shut = shut
        self._all: dict[tuple[int, int], Effects] = {}

    # ------------------------------------------------------------ a thread, a step, a condition

    def all(self, thread: int, control: int) -> Effects:
        """What a thread may still touch, standing there; if it is dormant, what its body may; nothing if it can never move."""
        found = self._all.get((thread, control))
        if found is None:
            stays = self._stays(thread, control)
            found = NOTHING if stays else self._complete(thread, self.may(thread, control)) | {Effect("moves", thread)}
            self._all[thread, control] = found
        return found

    def _stays(self, thread: int, control: int) -> bool:
        """Finished for good, or at a lock that is shut."""
        node = self._controls.nodes[control]
        if node is None or not isinstance(node.item, Standing):
            return control == FINISHED and thread not in self._program.spawned
        at, env = node.item, _exact(node.env)
        if isinstance(at.stmt, WaitCond):
            return at.phase == "wake" and at.targets[1].slot in self._shut
        first = at.stmt.body.statements[0] if isinstance(at.stmt, Atomic) and at.stmt.body.statements else at.stmt
        return at.phase != "leave" and isinstance(first, Lock | With) and self._is_shut(first.ref, env)

    def _is_shut(self, lock: Place, env: Env) -> bool:
        return bool(self._shut) and all(target.exact and target.slot in self._shut for target in self._targets(lock, env))

    def step(self, control: int) -> Effects:
        """What the one step from there touches, besides where its thread stands."""
        node = self._controls.nodes[control]
        if node is None or not isinstance(node.item, Standing):
            raise InternalError("no step is taken from there")
        return self._complete(node.env.thread, self._first(node.item, _exact(node.env)))

    def condition(self, expr: Expr, env: Env) -> Effects:
        """What the value of an expression depends on."""
        return frozenset(self._look(expr, env))

    def place(self, thread: int, uid: int) -> int:
        """The number under which effects name a thread at a statement."""
        return self._of_thread(uid, thread)

    def _of_thread(self, thing: int, thread: int) -> int:
        return thing * self._layout.threads + thread

    def _complete(self, thread: int, effects: Effects) -> Effects:
        """With what follows from who does it, and to what."""
        found = set(effects)
        for kind, thing in effects:
            if kind in ("lock", "release"):
                found.add(Effect("alters", self._of_thread(thing, thread)))
            elif kind == "spawn":
                start = self._controls.uids[self._controls.start(thing).control]
                found |= {Effect("moves", thing), Effect("finishes", thing), Effect("passes", self._of_thread(start, thing))}
            elif kind == "schedule":
                found.add(Effect("schedules in", self._context_of[thing]))
        return frozenset(found)

    @cached_property
    def _context_of(self) -> Mapping[int, int]:
        """By the slot of a bottom half."""
        contexts = self._program.contexts
        return {slot: contexts.index(bh.context) for bh in self._program.bhs for slot in self._layout.slots(bh)}

    # ------------------------------------------------------------ one step

    def _first(self, at: Standing, env: Env) -> Effects:  # noqa: C901 - one arm a kind
        """Of the step alone, not of what comes behind it."""
        match at.stmt, at.phase:
            case With(ref=ref), "enter":
                return self._indexed(ref, env) | self._effect("lock", ref, env)
            case With(), _:
                return self._on("release", tuple(map(_named, at.targets)))
            case WaitCond(ref=ref, lock=lock), "wait":
                return self._effect("sleep", ref, env) | self._effect("release", lock, env)
            case WaitCond(), _:
                return self._on("lock", (_named(at.targets[1]),)) | self._on("woken", (_named(at.targets[0]),))
            case Call(place=place), "assign":
                return self._assignment(place, env).effects
            case Call() as call, _:
                return self._arguments(call, env)
            case Poll(ref=ref), _:
                return self._dispatch(ref, env)
            case AioWaitWhile(ref=ref), "poll":
                return self._dispatch(ref, env)
            case AioWaitWhile(ref=ref, condition=condition), _:
                return self._members(ref, env) | frozenset(self._look(condition, env))
            case ((If(condition=condition) | While(condition=condition)), _):
                return frozenset(self._look(condition, env))
            case ((Choose() | Invoke()), _):
                return NOTHING
            case stmt, _:
                return self._statement(stmt, env).effects

    def _dispatch(self, ref: Place, env: Env) -> Effects:
        contexts = self._targets(ref, env)
        slots = [slot for target in contexts for slot, context in self._context_of.items() if context == target.slot]
        return self._on("poll", contexts) | {Effect("dispatch", slot) for slot in slots}

    # ------------------------------------------------------------ additions to what is within reach

    def _climb(self, item: Item, env: Env, flow: Flow) -> Flow:
        env = _exact(env)
        if isinstance(item, Frame) and isinstance(item.decl, ProcDecl) and not item.ended:
            return Flow(flow.effects | self._asserted(item.decl.ensures, env), flow.modes).called()
        return super()._climb(item, env, flow)

    def _body(self, frame: Frame, thread: int) -> Flow:
        flow = super()._body(frame, thread)
        if not isinstance(frame.decl, ProcDecl):
            return flow
        env = replace(Env(thread), refs=dict(frame.arguments))
        return Flow(flow.effects | self._asserted((*frame.decl.requires, *frame.decl.ensures), env), flow.modes)

    def _asserted(self, clauses: tuple[Assert, ...], env: Env) -> Effects:
        return NOTHING.union(*(self._look(clause.condition, env) for clause in clauses))

    def _standing(self, at: Standing, env: Env) -> Flow:
        flow = super()._standing(at, env)
        return Flow(flow.effects | self._first(at, env), flow.modes)

    def _statement(self, stmt: Stmt, env: Env) -> Flow:
        """Control does not get past a lock that is shut."""
        looked_at = self._looked_at(stmt, env)
        if isinstance(stmt, Lock | With | WaitCond) and self._is_shut(stmt.lock if isinstance(stmt, WaitCond) else stmt.ref, env):
            return Flow(looked_at | self._simple(stmt, env), frozenset())
        flow = super()._statement(stmt, env)
        return Flow(flow.effects | looked_at, flow.modes)

    def _passes(self, stmt: For, place: int, env: Env) -> Flow:
        """A lock that is shut is that of one pass: where a `for` may take its elements in any order, others may come before it."""
        if not self._shut:
            return super()._passes(stmt, place, env)
        flows = [self._block(stmt.body, 0, env.bind(stmt.binder, value)) for value in stmt.domain[place:]]
        modes = NEXT.union(*(flow.modes & {"return"} for flow in flows))
        return Flow(NOTHING.union(*(flow.effects for flow in flows)), modes)

    def _looked_at(self, stmt: Stmt, env: Env) -> Effects:  # noqa: C901 - one arm a kind
        """By the statement itself, in all of its steps."""
        match stmt:
            case If(condition=condition) | While(condition=condition) | Await(condition=condition):
                return frozenset(self._look(condition, env))
            case Assert(condition=condition) | Assume(condition=condition):
                return frozenset(self._look(condition, env))
            case AioWaitWhile(ref=ref, condition=condition):
                return self._members(ref, env) | frozenset(self._look(condition, env))
            case Assign(value=value):
                return frozenset(self._look(value, env))
            case Return(value=value):
                return NOTHING if value is None else frozenset(self._look(value, env))
            case Call():
                return self._arguments(stmt, env)
            case Atomic(body=body):
                return self._waits_inside(body, env)
            case WaitCond(ref=ref, lock=lock):
                return self._indexed(ref, env) | self._indexed(lock, env) | self._effect("sleep", ref, env)
            case WaitEvent(ref=ref):
                return self._indexed(ref, env) | self._effect("waits", ref, env)
            case Join(thread=ref):
                return self._indexed(ref, env) | self._effect("join", ref, env)
            case Lock(ref=ref) | Unlock(ref=ref) | With(ref=ref) | WaitSem(ref=ref) | PostSem(ref=ref) | WriteEvent(ref=ref):
                return self._indexed(ref, env)
            case Wake(ref=ref) | Schedule(ref=ref) | Poll(ref=ref) | Spawn(thread=ref):
                return self._indexed(ref, env)
            case _:
                return NOTHING

    def _simple(self, stmt: Stmt, env: Env) -> Effects:
        match stmt:
            case Unlock(ref=ref):
                return self._effect("release", ref, env)
            case With(ref=ref):
                return self._effect("lock", ref, env)
            case _:
                return super()._simple(stmt, env)

    def _assignment(self, place: Place | None, env: Env) -> Flow:
        flow = super()._assignment(place, env)
        return flow if place is None else Flow(flow.effects | self._indexed(place, env), flow.modes)

    def _arguments(self, call: Call, env: Env) -> Effects:
        found: set[Effect] = set()
        for param, argument in zip(self._program.procs[call.proc].params, call.arguments, strict=True):
            found |= self._look(argument, env) if isinstance(param, LocalDecl) else self._indexed(argument, env)  # type: ignore[arg-type]
        return frozenset(found)

    # ------------------------------------------------------------ inside of an atomic

    def _waits_inside(self, body: Block, env: Env) -> Effects:
        """The waits in an atomic that are more than waits. Where its first statement waits (behind any skip, assert, assume), so does all
        of it; where a later one does, the step goes another way, or wrong, or counts as one that waits for something else."""
        return self._later(body, env, first=True)[0]

    def _later(self, stmt: Stmt, env: Env, *, first: bool) -> tuple[Effects, bool]:
        """What is looked at in waiting, and whether what comes behind the statement is still the first."""
        match stmt:
            case Block(statements=statements):
                found = NOTHING
                for inner in statements:
                    more, first = self._later(inner, env, first=first)
                    found |= more
                return found, first
            case Skip() | Assert() | Assume():
                return NOTHING, first
            case Lock() | WaitSem() | WaitEvent() | Join() if first:
                return NOTHING, False
            case With(body=body) if first:
                return self._later(body, env, first=False)[0], False
            case _:
                return _strict(self._statement(stmt, env).effects), False

    # ------------------------------------------------------------ objects

    def _effect(self, kind: str, place: Place, env: Env) -> Effects:
        return self._on(kind, self._targets(place, env))

    def _on(self, kind: str, targets: tuple[Target, ...]) -> Effects:
        """Locals concern nobody else; an inexact target stands for all elements."""
        found: set[Effect] = set()
        for target in targets:
            if isinstance(target.decl, LocalDecl) or target.slot == OUTSIDE:
                continue
            those = (target,) if target.exact else self._layout.everything(target.decl)
            found.update([Effect(kind, one.slot) for one in those])
        return frozenset(found)

    def _targets(self, place: Place, env: Env) -> tuple[Target, ...]:
        """What a place may stand for: exact where that is fixed here, `self` being known."""
        match place:
            case LocalPlace():
                return ()
            case ViaParam(param=param):
                return (env.refs[param],)
            case _:
                target = self._references.fixed(place, env)
                return self._references.elements(place, env) if target is None else (_named(target),)

    def _argument(self, place: Place, env: Env) -> Target:
        if isinstance(place, LocalPlace):
            return super()._argument(place, env)
        return self._targets(place, env)[0]

    # ------------------------------------------------------------ expressions

    def _look(self, expr: Expr, env: Env) -> set[Effect]:
        """What the value of an expression depends on."""
        match expr:
            case Literal() | Self() | Bound() | Result():
                return set()
            case Read(place=place):
                return {*self._indexed(place, env), *self._effect("read", place, env)}
            case Member(ref=ref) | ContextOf(ref=ref):
                return set(self._indexed(ref, env))
            case Unary(operand=operand):
                return self._look(operand, env)
            case Binary():
                return self._look_at_both(expr, env)
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                return self._look(condition, env) | self._look(then, env) | self._look(otherwise, env)
            case Quantifier(binder=binder, domain=domain, body=body):
                return set().union(*(self._look(body, env.bind(binder, value)) for value in domain))
            case _:
                return self._question(expr, env)

    def _look_at_both(self, expr: Binary, env: Env) -> set[Effect]:
        """Both sides; the left one may be long."""
        found: set[Effect] = set()
        left: Expr = expr
        while isinstance(left, Binary):
            found |= self._look(left.right, env)
            left = left.left
        return found | self._look(left, env)

    def _indexed(self, place: Place, env: Env) -> Effects:
        """What the choice of an element depends on."""
        index = index_of(place)
        return NOTHING if index is None else frozenset(self._look(index, env))

    def _question(self, expr: Question, env: Env) -> set[Effect]:
        match expr:
            case Holds(thread=thread, lock=ref):
                return self._look(thread, env) | self._indexed(ref, env) | self._held(thread, ref, env)
            case Owner(lock=ref):
                return {*self._indexed(ref, env), *self._effect("owner", ref, env)}
            case InContext(thread=thread, context=ref):
                contexts = [self._program.contexts[target.slot] for target in self._targets(ref, env)]
                return self._look(thread, env) | self._membership(contexts, self._expressions.denoted(thread, env))
            case CurrentContext(thread=thread):
                return self._look(thread, env) | self._membership(self._program.contexts, self._expressions.denoted(thread, env))
            case PendingContext(context=ref):
                return self._pending_in(ref, env)
            case PendingBh(bh=ref) | Count(ref=ref):
                return {*self._indexed(ref, env), *self._counted(ref, env)}
            case IsSet(event=ref):
                return {*self._indexed(ref, env), *self._effect("flag", ref, env)}
            case At(thread=thread, targets=uids):
                denoted = self._expressions.denoted(thread, env) - {NONE}
                places = {Effect("at", self._of_thread(uid, asked)) for uid in uids for asked in denoted}
                return self._look(thread, env) | places | {Effect("asks", asked) for asked in denoted}
            case Finished(thread=thread):
                denoted = self._expressions.denoted(thread, env) - {NONE}
                return self._look(thread, env) | {Effect(kind, asked) for kind in ("finished", "asks") for asked in denoted}
            case _:
                assert_never(expr)

    def _held(self, thread: Expr, ref: Place, env: Env) -> set[Effect]:
        if not is_fixed(thread):
            return set(self._effect("owner", ref, env))
        slots = [effect.object for effect in self._effect("held", ref, env)]
        return {Effect("held", self._of_thread(slot, asked)) for slot in slots for asked in self._expressions.denoted(thread, env) - {NONE}}

    def _counted(self, ref: Place, env: Env) -> set[Effect]:
        """Of a semaphore or a bottom half."""
        found: set[Effect] = set()
        for _, slot in self._effect("count", ref, env):
            context = self._context_of.get(slot)
            found |= {Effect("count", slot)} if context is None else {Effect("pending", slot), Effect("pending in", context)}
        return found

    def _pending_in(self, ref: Place, env: Env) -> set[Effect]:
        contexts = {target.slot for target in self._targets(ref, env)}
        slots = [slot for slot, context in self._context_of.items() if context in contexts]
        return {Effect("pending", slot) for slot in slots} | {Effect("pending in", context) for context in contexts}

    def _members(self, ref: Place, env: Env) -> Effects:
        """Whether this thread is in the context."""
        return frozenset(self._membership([self._program.contexts[target.slot] for target in self._targets(ref, env)], {env.thread}))

    def _membership(self, contexts: Iterable[ContextDecl], threads: Iterable[int]) -> set[Effect]:
        whens = [context.when for context in contexts if context.when is not None]
        return set().union(*(self._look(when, Env(asked)) for when in whens for asked in threads))


def _strict(effects: Effects) -> Effects:
    """Where waiting is looked at."""
    return frozenset(Effect(STRICT[kind], thing) for kind, thing in effects if kind in STRICT)


def _named(target: Target) -> Target:
    """This one element, and no other."""
    return target if target.exact else replace(target, exact=True)


def _exact(env: Env) -> Env:
    """Where a thread stands, a `ref` parameter stands for one object."""
    return replace(env, refs={param: _named(target) for param, target in env.refs.items()}) if env.refs else env
