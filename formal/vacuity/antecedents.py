"""The antecedents of a property: what has to hold for it to ask for anything.

In: a condition. Out: for each implication in it, the condition that its left side holds, with whatever stands before it. Conjunctions and
`forall` are looked into; an implication in any other place may be there to be false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from formal.frontend.folding import BOOL
from formal.program import Binary, Binder, Expr, Literal, Quantifier, Unary


@dataclass(frozen=True, slots=True, eq=False)
class Antecedent:
    """`condition`: somewhere it holds; `text`: as it was written."""

    condition: Expr
    text: str


def antecedents(condition: Expr) -> tuple[Antecedent, ...]:
    """Those of a condition, in textual order."""
    return tuple(_found(condition, (), None))


def never(antecedent: Antecedent) -> Expr:
    """That it does not hold."""
    return Unary("!", antecedent.condition, BOOL, antecedent.condition.span)


def _found(expr: Expr, around: tuple[tuple[Binder, Sequence[int]], ...], before: Expr | None) -> Iterator[Antecedent]:
    match expr:
        case Binary(op="implies", left=left, right=right):
            both = left if before is None else Binary("&&", before, left, BOOL, left.span)
            if not isinstance(left, Literal):
                yield Antecedent(_somewhere(both, around), _written(left))
            yield from _found(right, around, both)
        case Binary(op="&&", left=left, right=right):
            yield from _found(left, around, before)
            yield from _found(right, around, before)
        case Quantifier(kind="forall", binder=binder, domain=domain, body=body):
            yield from _found(body, (*around, (binder, domain)), before)
        case _:
            return


def _somewhere(condition: Expr, around: tuple[tuple[Binder, Sequence[int]], ...]) -> Expr:
    for binder, domain in reversed(around):
        condition = Quantifier("exists", binder, tuple(domain), condition, BOOL, condition.span)
    return condition


def _written(expr: Expr) -> str:
    return " ".join(expr.span.source.text[expr.span.start : expr.span.end].split())
