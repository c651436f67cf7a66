"""Why a condition has the value that it has: the values of what it speaks of.

In: an expression, where and when it is evaluated. Out: phrases like "holds(BQL) is false". Must not know executions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from formal.interp.environment import Env
from formal.interp.layout import State
from formal.interp.machine import Machine
from formal.interp.view import show_value
from formal.program import (
    NONE,
    Binary,
    Bound,
    Conditional,
    ContextOf,
    ContextType,
    Expr,
    Literal,
    Member,
    Quantifier,
    Self,
    ThreadType,
    Type,
    Unary,
)

MOST = 6  # phrases; who wants more reads the state


@dataclass(frozen=True, slots=True)
class Reader:
    """Evaluates in one state."""

    machine: Machine
    state: State

    def phrases(self, expr: Expr, env: Env) -> list[str]:
        """What the parts of an expression are worth, the deciding ones of a quantifier only."""
        return list(dict.fromkeys(self._parts(expr, env, "")))[:MOST]

    def shown(self, expr: Expr, env: Env) -> str:
        """The value of an expression, as messages write it."""
        value = self.machine.value(expr, env, self.state)
        return "undefined" if value is None else show(self.machine, expr.type, value)

    def _parts(self, expr: Expr, env: Env, bound: str) -> Iterator[str]:
        match expr:
            case Literal() | Self() | Bound() | Member() | ContextOf():
                pass
            case Unary(operand=operand):
                yield from self._parts(operand, env, bound)
            case Binary():
                yield from self._both(expr, env, bound)
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                yield from self._parts(condition, env, bound)
                yield from self._parts(then if self.machine.value(condition, env, self.state) else otherwise, env, bound)
            case Quantifier():
                yield from self._quantified(expr, env, bound)
            case _:
                yield f"{text(expr)} is {self.shown(expr, env)}{bound}"

    def _both(self, expr: Binary, env: Env, bound: str) -> Iterator[str]:
        operands: list[Expr] = []
        left: Expr = expr
        while isinstance(left, Binary):
            operands.append(left.right)
            left = left.left
        for operand in (left, *reversed(operands)):
            yield from self._parts(operand, env, bound)

    def _quantified(self, expr: Quantifier, env: Env, bound: str) -> Iterator[str]:
        whole = self.machine.value(expr, env, self.state)
        for value in expr.domain:
            inner = env.bind(expr.binder, value)
            decides = expr.kind == "number" or bool(self.machine.value(expr.body, inner, self.state)) == bool(whole)
            if decides:
                named = f" for {expr.binder.name} = {show(self.machine, expr.binder.type, value)}"
                yield from self._parts(expr.body, inner, bound + named)
            if decides and expr.kind == ("exists" if whole else "forall"):
                return


def text(expr: Expr) -> str:
    """An expression as the model writes it, on one line."""
    return " ".join(expr.span.source.text[expr.span.start : expr.span.end].split())


def show(machine: Machine, kind: Type, value: int) -> str:
    """A value as messages write it."""
    match kind:
        case ThreadType():
            return "none" if value == NONE else machine.program.threads[value].name
        case ContextType():
            return "none" if value == NONE else machine.program.contexts[value].name
        case _:
            shown = show_value(kind, value)
            return str(shown).lower() if isinstance(shown, bool) else str(shown)
