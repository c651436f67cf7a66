"""Whether a `requires`, an `ensures` or an `assert` matters. Without it nothing new can be violated; it matters if it notices something.

In: a program, the name of such a clause. Out: the program with this as the only clause, since another may be there first and end the
execution.
"""

from __future__ import annotations

from collections.abc import Iterator

from formal import program as p
from formal.frontend.walking import blocks_in
from formal.rewriting.bodies import decls_of, statements_of
from formal.rewriting.rebuilding import Changes, rebuilt

KINDS = ("requires", "ensures", "assert")


def alone(program: p.Program, prop: str) -> p.Program:
    """The program without any other clause."""
    changes = Changes()
    for decl in decls_of(program).values():
        for block in blocks_in(decl.body):
            if any(_other(statement, prop) for statement in block.statements):
                changes.set(block, statements=tuple(_left(block, prop)))
        if isinstance(decl, p.ProcDecl):
            kept = {"requires": _kept(decl.requires, prop), "ensures": _kept(decl.ensures, prop)}
            changes.set(decl, **kept)
    return rebuilt(program, changes)


def clauses(program: p.Program) -> list[p.Assert]:
    """The clauses of a program, in the order of the text."""
    return [statement for statement in statements_of(program) if isinstance(statement, p.Assert)]


def _other(statement: p.Stmt, prop: str) -> bool:
    return isinstance(statement, p.Assert) and statement.prop != prop


def _left(block: p.Block, prop: str) -> Iterator[p.Stmt]:
    """The statements without other clauses; of one with a label, the place stays."""
    for statement in block.statements:
        if not isinstance(statement, p.Assert) or statement.prop == prop:
            yield statement
        elif statement.info.label is not None:
            yield p.Skip(statement.info)


def _kept(those: tuple[p.Assert, ...], prop: str) -> tuple[p.Assert, ...]:
    return tuple(one for one in those if one.prop == prop)
