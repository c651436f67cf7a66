"""What an awaited expression speaks of: the deeds that may change it, and the threads it names.

In: an expression and its site. Out: deeds (see `formal.smt.deeds`), and the thread expressions of `at` and `finished` with the values of
the quantifiers around them. It must not know z3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from formal.program import (
    At,
    BhDecl,
    Binary,
    Binder,
    Conditional,
    ContextDecl,
    Count,
    CurrentContext,
    Direct,
    Expr,
    Finished,
    Holds,
    InContext,
    IsSet,
    Member,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Quantifier,
    Read,
    ThreadLocalPlace,
    Unary,
)
from formal.smt.cfg import Site
from formal.smt.deeds import EVERY, Deed, Family, element_of
from formal.smt.references import asked_context, declaration_site, resolve


def speaks_of(family: Family, expr: Expr, site: Site) -> Iterator[Deed]:
    """The deeds that may change the value of an expression."""
    for part in _parts(expr):
        match part:
            case Read():
                yield from _read(family, part.place, site)
            case Holds() | Owner():
                yield "lock", *element_of(family, part.lock, site)
            case Count():
                decl, index = element_of(family, part.ref, site)
                yield "pending" if isinstance(decl, BhDecl) else "count", decl, index
            case IsSet():
                yield "flag", *element_of(family, part.event, site)
            case PendingBh():
                yield "pending", *element_of(family, part.bh, site)
            case PendingContext():
                context = resolve(part.context, site).ref
                assert isinstance(context, Direct)
                yield from (("pending", bh, EVERY) for bh in family.program.bhs if bh.context is context.decl)
            case InContext():
                yield from _asked(family, (asked_context(part, site),), site)
            case CurrentContext():
                yield from _asked(family, family.program.contexts, site)
            case _:
                pass


def _read(family: Family, place: Place, site: Site) -> Iterator[Deed]:
    target = resolve(place, site).ref
    if isinstance(target, ThreadLocalPlace):
        yield "thread_local", target.decl, 0
    elif isinstance(target, Direct):
        yield "assign", *element_of(family, place, site)


def _asked(family: Family, contexts: tuple[ContextDecl, ...], site: Site) -> Iterator[Deed]:
    for context in contexts:
        if context.when is not None:
            yield from speaks_of(family, context.when, declaration_site(site.root))


def _parts(expr: Expr) -> Iterator[Expr]:
    """The expression and all its parts, indices and threads included."""
    yield expr
    for child in _children(expr):
        yield from _parts(child)


def _children(expr: Any) -> list[Expr]:  # noqa: C901 - one arm a kind
    match expr:
        case Unary():
            return [expr.operand]
        case Binary():
            return [expr.left, expr.right]
        case Conditional():
            return [expr.condition, expr.then, expr.otherwise]
        case Quantifier():
            return [expr.body]
        case Read():
            return _indices(expr.place)
        case Holds() | InContext():
            return [expr.thread, *_indices(expr.lock if isinstance(expr, Holds) else expr.context)]
        case CurrentContext() | At() | Finished():
            return [expr.thread]
        case Owner():
            return _indices(expr.lock)
        case Member() | Count():
            return _indices(expr.ref)
        case PendingBh():
            return _indices(expr.bh)
        case IsSet():
            return _indices(expr.event)
        case _:
            return []


def _indices(ref: Any) -> list[Expr]:
    if isinstance(ref, Direct):
        return [] if ref.index is None else [ref.index]
    if isinstance(ref, ThreadLocalPlace):
        return [] if ref.thread is None else [ref.thread]
    return []


def named_threads(expr: Expr, bound: Mapping[Binder, int]) -> Iterator[tuple[Expr, Mapping[Binder, int]]]:
    """The threads whose place an expression asks for (`at`, `finished`), each with the quantified values it is asked for."""
    if isinstance(expr, At | Finished):
        yield expr.thread, bound
    if isinstance(expr, Quantifier):
        for value in expr.domain:
            yield from named_threads(expr.body, {**bound, expr.binder: value})
        return
    for child in _children(expr):
        yield from named_threads(child, bound)
