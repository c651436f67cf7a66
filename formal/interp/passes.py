"""Whether it matters in which order a `for` makes its passes, or a quantifier looks at its values.

In: the tree. Out: yes only where it can be seen from the text. Must not know states.

Passes come to the same in any order if each writes only to elements of its own, and reads of what the loop writes only those; and if
nothing in them waits, ends the loop, or can go wrong in more than one way. A quantifier's values do if none makes its body undefined: where
an operand settles it, the others are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import TypeAlias, assert_never

from formal.nodes import names_of
from formal.program import (
    NONE,
    Assign,
    At,
    Atomic,
    BhDecl,
    Binary,
    Binder,
    Block,
    Bound,
    Choose,
    CondDecl,
    Conditional,
    ContextOf,
    Count,
    CurrentContext,
    Direct,
    Expr,
    Finished,
    For,
    Holds,
    If,
    InContext,
    IntType,
    IsSet,
    Literal,
    LocalPlace,
    Loop,
    Member,
    Owner,
    PendingBh,
    PendingContext,
    Place,
    Program,
    Quantifier,
    Read,
    Result,
    Schedule,
    Self,
    Skip,
    Stmt,
    ThreadDecl,
    ThreadLocalPlace,
    Unary,
    VarDecl,
    ViaParam,
    Wake,
    While,
    With,
    WriteEvent,
)


def inner(stmt: Stmt) -> list[Stmt]:
    """The statements directly inside of one."""
    match stmt:
        case Block(statements=statements):
            return list(statements)
        case If(then=then, otherwise=otherwise):
            return [then, otherwise]
        case Choose(branches=branches):
            return list(branches)
        case With(body=body) | While(body=body) | Loop(body=body) | For(body=body) | Atomic(body=body):
            return [body]
        case _:
            return []


# ---------------------------------------------------------------- passes


def any_order(loop: For) -> bool:
    """Whether all orders of the passes come to the same state, or all to a violation of `range`."""
    written: set[object] = set()
    statements = list(_statements(loop.body))
    for stmt in statements:
        match stmt:
            case Block() | Skip() | If():
                continue
            case Assign(place=Direct() as place) | WriteEvent(ref=Direct() as place):
                if not _own(place, loop.binder):
                    return False
            case Schedule(ref=Direct(decl=BhDecl(oneshot=False)) as place) | Wake(ref=Direct(decl=CondDecl()) as place, all=True):
                if place.index is not None and not _own(place, loop.binder):
                    return False  # the same thing for all is done as well twice
            case _:
                return False
        written.add(place.decl)
    return all(_reads_own(read, written, loop.binder) for stmt in statements for read in _looked_at(stmt))


def _statements(stmt: Stmt) -> Iterator[Stmt]:
    todo = [stmt]
    while todo:
        stmt = todo.pop()
        yield stmt
        todo += inner(stmt)


def _looked_at(stmt: Stmt) -> Iterator[object]:
    """What the expressions of a statement read, part by part."""
    match stmt:
        case If(condition=condition):
            yield from _parts(condition)
        case Assign(value=value):
            yield from _parts(value)
        case _:
            pass


def _parts(node: object) -> Iterator[object]:
    """An expression's places and questions."""
    yield node
    for name in names_of(node):
        value = getattr(node, name)
        if name not in ("decl", "type", "span", "binder", "domain", "param") and is_dataclass(value):
            yield from _parts(value)


def _reads_own(node: object, written: set[object], binder: Binder) -> bool:
    match node:
        case ViaParam() | PendingContext() | InContext() | CurrentContext():
            return False  # whatever that may be, or speak of
        case Direct(decl=decl) if decl in written:
            return _own(node, binder)
        case _:
            return True


def _own(place: Direct, binder: Binder) -> bool:
    """Whether no other pass means this element: a[v], or a[family[v]]."""
    match place.index:
        case Bound(binder=used) | Member(ref=Direct(decl=ThreadDecl(), index=Bound(binder=used))):
            return used is binder
        case _:
            return False


# ---------------------------------------------------------------- quantifiers


Domains: TypeAlias = Mapping[Binder, tuple[int, ...]]


def defined(expr: Expr, program: Program, domains: Domains) -> bool:
    """Whether an expression has a value in every state, where these binders have a value of their domain."""
    match expr:
        case Literal() | Self() | Bound() | Result() | ContextOf():
            return True
        case Read(place=place):
            return _exists(place, program, domains)
        case Member(ref=ref) | Owner(lock=ref) | PendingBh(bh=ref) | PendingContext(context=ref) | IsSet(event=ref) | Count(ref=ref):
            return _exists(ref, program, domains)
        case Unary(operand=operand):
            return defined(operand, program, domains)
        case Binary():
            return expr.op not in ("/", "%") and defined(expr.left, program, domains) and defined(expr.right, program, domains)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return all(defined(part, program, domains) for part in (condition, then, otherwise))
        case Quantifier(binder=binder, domain=domain, body=body):
            return defined(body, program, {**domains, binder: domain})
        case Holds(thread=thread, lock=ref):
            return defined(thread, program, domains) and _exists(ref, program, domains)
        case At(thread=thread) | Finished(thread=thread):
            return defined(thread, program, domains)
        case _:
            return False  # what contexts ask for is not looked into


def _exists(place: Place, program: Program, domains: Domains) -> bool:
    match place:
        case ViaParam() | LocalPlace():
            return True
        case ThreadLocalPlace(thread=thread):
            return thread is None or isinstance(thread, Bound | Self) or (isinstance(thread, Literal) and thread.value != NONE)
        case Direct(decl=VarDecl(family=str(family)), index=index):
            match index:
                case Bound(binder=binder):
                    return set(program.families[family]).issuperset(domains.get(binder, (NONE,)))
                case Member(ref=Direct(decl=ThreadDecl(name=name)) as ref):
                    return name == family and _exists(ref, program, domains)
                case _:
                    return False
        case Direct(decl=decl, index=index):
            return index is None or (decl.size is not None and _within(index, decl.size) and defined(index, program, domains))
        case _:
            assert_never(place)


def _within(index: Expr, size: int) -> bool:
    return isinstance(index.type, IntType) and index.type.lo >= 0 and index.type.hi < size
