"""Going through typed statements. In: blocks. Out: statements, or what is directly below one."""

from __future__ import annotations

from collections.abc import Iterator

from formal.program import Atomic, Block, Choose, For, If, Loop, Stmt, While, With


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
