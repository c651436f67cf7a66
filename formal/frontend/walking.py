"""Going through typed statements and expressions. In: blocks, expressions. Out: what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import cast, get_args

from formal.nodes import names_of
from formal.program import Atomic, Block, Choose, Direct, Expr, For, If, Loop, Stmt, ThreadLocalPlace, While, With

_EXPRESSIONS = get_args(Expr)


def blocks_of(statement: Stmt) -> tuple[Block, ...]:
    """The blocks directly inside a statement."""
    match statement:
        case Block():
            return (statement,)
        case If(then=then, otherwise=otherwise):
            return (then, otherwise)
        case While(body=body) | Loop(body=body) | For(body=body) | With(body=body) | Atomic(body=body):
            return (body,)
        case Choose(branches=branches):
            return branches
        case _:
            return ()


def walk(block: Block) -> Iterator[Stmt]:
    """Every statement of a block, at any depth, in textual order."""
    for statement in block.statements:
        yield statement
        for inner in blocks_of(statement):
            yield from walk(inner)


def blocks_in(block: Block) -> Iterator[Block]:
    """The block, and every block in it at any depth."""
    yield block
    for statement in block.statements:
        for inner in blocks_of(statement):
            yield from blocks_in(inner)


def expressions_of(holder: object) -> Iterator[Expr]:
    """The expressions directly below a statement, a property, a reference or another expression; blocks are not looked into."""
    for name in names_of(holder):
        value = getattr(holder, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, _EXPRESSIONS):
                yield cast(Expr, item)
            elif isinstance(item, Direct | ThreadLocalPlace) and is_dataclass(item):
                inner = item.index if isinstance(item, Direct) else item.thread
                if inner is not None:
                    yield inner


def below(holder: object) -> Iterator[Expr]:
    """The same, and the expressions below these at any depth."""
    for expr in expressions_of(holder):
        yield expr
        yield from below(expr)
