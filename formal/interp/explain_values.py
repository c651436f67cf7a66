"""What a violated condition speaks of: values, and the steps that made them so.

In: the history of an execution, an expression, where and in which state it was evaluated. Out: `Fact`s, and the names of the objects that
they are about. Must not judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass

from formal.diagnostics import Span
from formal.interp.environment import Env
from formal.interp.history import History
from formal.interp.layout import State
from formal.interp.values import Leaf, Reader, show, spelled
from formal.naming import listed
from formal.program import (
    NONE,
    BhDecl,
    Binder,
    ContextDecl,
    ContextType,
    Count,
    CurrentContext,
    Expr,
    Holds,
    InContext,
    IsSet,
    Literal,
    LocalPlace,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Read,
    Result,
    Self,
    ThreadType,
)
from formal.verdict import Fact

_MOST = 6  # values in a sentence; the evidence has them all
# Where expressions and places have parts that are expressions or places.
_PARTS = frozenset(("place", "index", "thread", "lock", "ref", "event", "bh", "context"))
_OPERANDS = frozenset(("operand", "left", "right", "condition", "then", "otherwise", "body"))


@dataclass(frozen=True, slots=True)
class Values:
    """Reads conditions in one state of an execution: in the last one, or inside of the last step (an `atomic` that goes wrong halfway)."""

    history: History
    state: State

    def facts(self, expr: Expr, env: Env) -> tuple[Fact, ...]:
        """What decides the value of the expression, in the order in which it is evaluated."""
        return tuple(dict.fromkeys(self.fact(leaf) for leaf in self.leaves(expr, env)))

    def involved(self, expr: Expr, env: Env) -> tuple[str, ...]:
        """The objects that this is about, by name."""
        return tuple(dict.fromkeys(name for leaf in self.leaves(expr, env) for name in self._names(leaf)))

    def leaves(self, expr: Expr, env: Env) -> Iterator[Leaf]:
        """The deciding parts; being in a context rests on the context's condition, too."""
        for leaf in Reader(self.history.machine, self.state).leaves(expr, env):
            yield leaf
            yield from self._behind(leaf)

    def _behind(self, leaf: Leaf) -> Iterator[Leaf]:
        machine, reader = self.history.machine, Reader(self.history.machine, self.state)
        if not isinstance(leaf.expr, InContext | CurrentContext):
            return
        thread = machine.value(leaf.expr.thread, leaf.env, self.state)
        for context in self._contexts(leaf):
            if context.when is not None and thread is not None and thread not in (NONE, context.home):
                yield from reader.leaves(context.when, Env(thread))

    def _contexts(self, leaf: Leaf) -> tuple[ContextDecl, ...]:
        if isinstance(leaf.expr, CurrentContext):
            return self.history.machine.program.contexts
        assert isinstance(leaf.expr, InContext)
        target = self.history.machine.target(leaf.expr.context, leaf.env, self.state)
        return (target.decl,) if target is not None and isinstance(target.decl, ContextDecl) else ()

    def fact(self, leaf: Leaf) -> Fact:
        """The value of a part, and the step that gave it that value."""
        machine = self.history.machine
        shown = Reader(machine, self.state).shown(leaf.expr, leaf.env)
        return Fact(spelled(machine, leaf), shown, self._since(leaf))

    def current_context(self, thread: int, span: Span) -> Fact:
        """Which context a thread is in. `span`: any place, for an expression that no model contains."""
        expr = CurrentContext(Literal(thread, ThreadType(), span), ContextType(), span)
        value = self.history.machine.value(expr, Env(thread), self.state)
        told = "none" if value is None else show(self.history.machine, ContextType(), value)
        return Fact(f"current_context({self.history.names[thread]})", told, self._since(Leaf(expr, Env(thread))))

    # ------------------------------------------------------------ since when

    def _since(self, leaf: Leaf) -> int | None:
        """The last step after which the part has another value than before."""
        if _has_local(leaf.expr):
            return self._since_by_name(leaf)
        machine = self.history.machine
        states = (*self.history.states, self.state)
        value = machine.value(leaf.expr, leaf.env, self.state)
        for number in range(len(states) - 2, -1, -1):
            if machine.value(leaf.expr, leaf.env, states[number]) != value:
                return min(number + 1, len(self.history.execution.steps))
        return None

    def _since_by_name(self, leaf: Leaf) -> int | None:
        """Where a local takes part, which earlier states need not have: the last change of what it picked out, or of the local itself."""
        history, names = self.history, self._names(leaf)
        keys = [key for key in history.views[-1] if key in names or key.rpartition(".")[0] in names]
        return max((step for key in keys if (step := history.last_change(key)) is not None), default=None)

    # ------------------------------------------------------------ names

    def _names(self, leaf: Leaf) -> tuple[str, ...]:
        match leaf.expr:
            case Read(place=LocalPlace(decl=decl)):
                thread = self.history.names[leaf.env.thread]
                return (f"{thread}/{len(leaf.env.frames) - 1}.{decl.name}",)
            case Read(place=place):
                return self._name(place, leaf)
            case Holds(lock=ref) | Owner(lock=ref) | Count(ref=ref) | IsSet(event=ref) | PendingBh(bh=ref):
                return self._name(ref, leaf)
            case PendingContext(context=ref):
                target = self.history.machine.target(ref, leaf.env, self.state)
                return () if target is None else self._bottom_halves(target.decl)
            case _:
                return ()

    def _name(self, place: Place, leaf: Leaf) -> tuple[str, ...]:
        target = self.history.machine.target(place, leaf.env, self.state)
        if target is None or target.slot < 0:
            return ()
        return (self.history.machine.views.name_of(target),)

    def _bottom_halves(self, context: object) -> tuple[str, ...]:
        views = self.history.machine.views
        bhs: list[BhDecl] = [bh for bh in self.history.machine.program.bhs if bh.context is context]
        return tuple(views.name(bh, index) for bh in bhs for index in range(bh.size or 1))


def _has_local(expr: object) -> bool:
    """Whether a local, or a result, takes part in an expression."""
    if isinstance(expr, LocalPlace | Result):
        return True
    if isinstance(expr, Binder | Self | Literal) or not is_dataclass(expr):
        return False
    inner = (getattr(expr, field.name) for field in fields(expr) if field.name in _PARTS | _OPERANDS)
    return any(_has_local(one) for one in inner)


def phrased(facts: Sequence[Fact]) -> str:
    """The values behind a condition, as the end of a sentence; of many, the first, and how many more."""
    phrases = [f"{one.what} is {one.value}" for one in facts]
    if len(phrases) > _MOST:
        phrases = [*phrases[: _MOST - 1], f"{len(phrases) - _MOST + 1} more"]
    return f": {listed(phrases)}" if phrases else ""
