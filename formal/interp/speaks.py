"""What an expression speaks of: the effects that may change its value, and the threads whose place or end it asks for.

In: an expression and an environment. Out: `Topics`, as docs/semantics.md section 7 defines them. Must not evaluate anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from formal.interp.environment import Env
from formal.interp.expressions import Expressions, Question
from formal.interp.layout import Layout
from formal.interp.reach import Effect
from formal.interp.references import Function, index_of
from formal.program import (
    At,
    BhDecl,
    Binary,
    Bound,
    Conditional,
    ContextDecl,
    ContextOf,
    Count,
    CurrentContext,
    Expr,
    Finished,
    Holds,
    InContext,
    IsSet,
    Literal,
    LocalDecl,
    LocalPlace,
    Member,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Quantifier,
    Read,
    Result,
    Self,
    ThreadLocalDecl,
    Unary,
)


@dataclass(slots=True)
class Topics:
    """Grows while an expression is read."""

    effects: set[Effect] = field(default_factory=set)
    threads: list[Function] = field(default_factory=list)


class Speaks:
    """Reads the expressions of one program."""

    def __init__(self, layout: Layout, expressions: Expressions) -> None:
        self._layout = layout
        self._program = layout.program
        self._expressions = expressions

    def of(self, expr: Expr, env: Env) -> Topics:
        """What this expression speaks of."""
        topics = Topics()
        self._read(expr, env, topics)
        return topics

    def _read(self, expr: Expr, env: Env, topics: Topics) -> None:
        match expr:
            case Literal() | Self() | Bound() | Result():
                pass
            case Read(place=place):
                self._objects(("write",), place, env, topics)
            case Member(ref=ref) | ContextOf(ref=ref):
                self._index(ref, env, topics)
            case Unary(operand=operand):
                self._read(operand, env, topics)
            case Binary():
                self._chain(expr, env, topics)
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                for part in (condition, then, otherwise):
                    self._read(part, env, topics)
            case Quantifier(binder=binder, domain=domain, body=body):
                for value in domain:
                    self._read(body, env.bind(binder, value), topics)
            case _:
                self._question(expr, env, topics)

    def _question(self, expr: Question, env: Env, topics: Topics) -> None:
        match expr:
            case Holds(thread=thread, lock=lock):
                self._read(thread, env, topics)
                self._objects(("lock",), lock, env, topics)
            case Owner(lock=lock):
                self._objects(("lock",), lock, env, topics)
            case InContext(thread=thread, context=ref):
                self._membership(thread, [t.decl for t in self._expressions.references.elements(ref, env)], env, topics)
            case CurrentContext(thread=thread):
                self._membership(thread, self._program.contexts, env, topics)
            case PendingBh(bh=ref):
                self._objects(("schedule",), ref, env, topics)
                self._dispatches(ref, env, topics)
            case PendingContext(context=ref):
                self._pending_in({t.slot for t in self._expressions.references.elements(ref, env)}, topics)
            case Count(ref=ref):
                self._objects(("post", "take", "schedule"), ref, env, topics)
                self._dispatches(ref, env, topics)
            case IsSet(event=ref):
                self._objects(("set", "reset"), ref, env, topics)
            case At(thread=thread) | Finished(thread=thread):
                self._read(thread, env, topics)
                topics.threads.append(self._expressions.compile(thread, env))
            case _:
                assert_never(expr)

    def _chain(self, expr: Binary, env: Env, topics: Topics) -> None:
        """Both sides; the left one may be long."""
        left: Expr = expr
        while isinstance(left, Binary):
            self._read(left.right, env, topics)
            left = left.left
        self._read(left, env, topics)

    def _index(self, place: Place, env: Env, topics: Topics) -> None:
        index = index_of(place)
        if index is not None:
            self._read(index, env, topics)

    def _objects(self, kinds: Iterable[str], place: Place, env: Env, topics: Topics) -> None:
        self._index(place, env, topics)
        if isinstance(place, LocalPlace):
            return
        for target in self._expressions.references.elements(place, env):
            if isinstance(target.decl, LocalDecl):
                continue
            slot = self._layout.base(target.decl) if isinstance(target.decl, ThreadLocalDecl) else target.slot
            topics.effects |= {Effect(kind, slot) for kind in kinds}

    def _dispatches(self, ref: Place, env: Env, topics: Topics) -> None:
        """Dispatching a bottom half clears its flag."""
        for target in self._expressions.references.elements(ref, env):
            if isinstance(target.decl, BhDecl):
                topics.effects.add(Effect("poll", self._program.contexts.index(target.decl.context)))

    def _pending_in(self, contexts: set[int], topics: Topics) -> None:
        """What is said of each bottom half there; without any, nothing."""
        for bh in self._program.bhs:
            context = self._program.contexts.index(bh.context)
            if context in contexts:
                topics.effects |= {Effect("poll", context), *(Effect("schedule", slot) for slot in self._layout.slots(bh))}

    def _membership(self, thread: Expr, contexts: Iterable[object], env: Env, topics: Topics) -> None:
        """What the `when` conditions speak of, for every thread that may be meant."""
        self._read(thread, env, topics)
        for context in contexts:
            if isinstance(context, ContextDecl) and context.when is not None:
                for asked in sorted(self._expressions.denoted(thread, env)):
                    self._read(context.when, Env(asked), topics)
