"""Why a condition has the value that it has: the values of what it speaks of.

In: an expression, where and when it is evaluated. Out: its `Leaf`s, the parts that decide, each with a text like "holds(BQL)" in which
`self`, bound names and `ref` parameters are spelled out, and its value. Must not know executions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
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
    Read,
    Self,
    ThreadLocalPlace,
    ThreadType,
    Type,
    Unary,
)

_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")  # not what comes behind a dot: a thread-local's name, or a label


_PLAIN = ("+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part of an expression that is asked of the state, and where it is."""

    expr: Expr
    env: Env


@dataclass(frozen=True, slots=True)
class Reader:
    """Evaluates in one state."""

    machine: Machine
    state: State

    def shown(self, expr: Expr, env: Env) -> str:
        """The value of an expression, as messages write it."""
        value = self.machine.value(expr, env, self.state)
        return "undefined" if value is None else show(self.machine, expr.type, value)

    def leaves(self, expr: Expr, env: Env) -> Iterator[Leaf]:
        """The parts that make the expression worth what it is: of a choice what was chosen, of `&&`, `||`, quantifiers what decides."""
        match expr:
            case Literal() | Self() | Bound() | Member() | ContextOf():
                pass
            case Unary(operand=operand):
                yield from self.leaves(operand, env)
            case Binary(op="&&" | "||" | "implies"):
                yield from self._junction(expr, env)
            case Binary():
                for operand in _chain(expr, _PLAIN):
                    yield from self.leaves(operand, env)
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                yield from self.leaves(condition, env)
                yield from self.leaves(then if self.machine.value(condition, env, self.state) else otherwise, env)
            case Quantifier():
                yield from self._quantified(expr, env)
            case _:
                yield Leaf(expr, env)

    def _junction(self, expr: Binary, env: Env) -> Iterator[Leaf]:
        """As evaluated: the first operand that settles it, or all of them, where none does."""
        if expr.op == "implies":
            premise = self.machine.value(expr.left, env, self.state)
            whole = self.machine.value(expr, env, self.state)
            deciding = [expr.left] if not premise else [expr.right] if whole else [expr.left, expr.right]
        else:
            operands = list(_chain(expr, (expr.op,)))
            values = [self.machine.value(operand, env, self.state) for operand in operands]
            settling = [place for place, value in enumerate(values) if value is None or bool(value) is (expr.op == "||")]
            deciding = [operands[settling[0]]] if settling else operands
        for operand in deciding:
            yield from self.leaves(operand, env)

    def _quantified(self, expr: Quantifier, env: Env) -> Iterator[Leaf]:
        whole = self.machine.value(expr, env, self.state)
        for value in expr.domain:
            inner = env.bind(expr.binder, value)
            decides = expr.kind == "number" or bool(self.machine.value(expr.body, inner, self.state)) == bool(whole)
            if decides:
                yield from self.leaves(expr.body, inner)
            if decides and expr.kind == ("exists" if whole else "forall"):
                return


def _chain(expr: Binary, ops: Collection[str]) -> Iterator[Expr]:
    """The operands of a chain of such operators that leans to the left, which may be long."""
    operands: list[Expr] = []
    left: Expr = expr
    while isinstance(left, Binary) and left.op in ops:
        operands.append(left.right)
        left = left.left
    yield left
    yield from reversed(operands)


def text(expr: Expr) -> str:
    """An expression as the model writes it, on one line."""
    return " ".join(expr.span.source.text[expr.span.start : expr.span.end].split())


def spelled(machine: Machine, leaf: Leaf) -> str:
    """A leaf's text, with what its names stand for here."""
    names = _meanings(machine, leaf.env)
    told = _WORD.sub(lambda found: names.get(found[0], found[0]), text(leaf.expr))
    match leaf.expr:
        case Read(place=ThreadLocalPlace(thread=None)) if leaf.env.thread != NONE:
            return f"{machine.program.threads[leaf.env.thread].name}.{told}"
        case _:
            return told


def _meanings(machine: Machine, env: Env) -> Mapping[str, str]:
    names = {binder.name: show(machine, binder.type, value) for binder, value in env.binders.items()}
    names.update((param.name, machine.views.name_of(target)) for param, target in env.refs.items())
    if env.thread != NONE:
        names["self"] = machine.program.threads[env.thread].name
    return names


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
