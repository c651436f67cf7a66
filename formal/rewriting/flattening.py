"""Bodies without the blocks that mean nothing: what constants leave of an `if`, and braces for their own sake.

In: a program. Out: one with the same executions, in which a statement's neighbours are what comes before and after it. A block with a
local variable of its own is kept: the variable ends with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from formal import program as p
from formal.frontend.walking import blocks_in
from formal.rewriting.bodies import bodies_of
from formal.rewriting.rebuilding import Changes, rebuilt


def flat(program: p.Program) -> p.Program:
    """The program with nested blocks put in place."""
    changes = Changes()
    for body in bodies_of(program).values():
        for block in blocks_in(body):
            changes.set(block, statements=tuple(_spliced(block)))
    return rebuilt(program, changes)


def _spliced(block: p.Block) -> Iterator[p.Stmt]:
    for statement in block.statements:
        if isinstance(statement, p.Block) and not any(_declares(inner) for inner in statement.statements):
            yield from _spliced(statement)
        else:
            yield statement


def _declares(statement: p.Stmt) -> bool:
    """Whether a statement may begin the scope of a local variable; an assignment to one may be its declaration."""
    return isinstance(statement, p.Assign | p.Call) and isinstance(statement.place, p.LocalPlace)
