"""The bodies of a program, and which of them a thread can come to.

In: a program. Out: `Body`s: of threads, procedures, callbacks and bottom halves. It looks at the text only, never at values: both ways of a
test count as possible. Must not know how anything is executed or drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from formal.frontend.walking import walk
from formal.program import BhDecl, Block, Call, Direct, Invoke, ProcDecl, Program, Schedule, Stmt, ThreadDecl

BodyDecl: TypeAlias = ThreadDecl | ProcDecl | BhDecl
Kind: TypeAlias = Literal["thread", "proc", "callback", "bh"]


@dataclass(frozen=True, slots=True)
class Body:
    """`whole`: the body with its `requires` before and its `ensures` behind."""

    decl: BodyDecl
    kind: Kind
    whole: Block

    @property
    def name(self) -> str:
        """As it was declared: `vcpu`, not `vcpu[0]`."""
        return self.decl.name


def body_of(decl: BodyDecl) -> Body:
    """The body of a declaration."""
    match decl:
        case ThreadDecl():
            return Body(decl, "thread", decl.body)
        case BhDecl():
            return Body(decl, "bh", decl.body)
        case ProcDecl():
            whole = Block((*decl.requires, *decl.body.statements, *decl.ensures))
            return Body(decl, "proc" if decl.hook is None else "callback", whole)


def reachable(program: Program) -> tuple[Body, ...]:
    """Threads in order, each followed by what it leads to, depth first: procedures it may call, bottom halves somebody may schedule.
    What a library offers and nobody uses is not among them."""
    found: dict[BodyDecl, Body] = {}
    for decl in dict.fromkeys(thread.decl for thread in program.threads):
        todo: list[BodyDecl] = [decl]
        while todo:
            decl_here = todo.pop()
            if decl_here not in found:
                body = found[decl_here] = body_of(decl_here)
                todo.extend(reversed(list(leads_to(program, body.whole))))
    return tuple(found.values())


def leads_to(program: Program, block: Block) -> Iterator[BodyDecl]:
    """The bodies that a block names: called, invoked, scheduled, or handed on to be scheduled."""
    for statement in walk(block):
        yield from _named(program, statement)


def _named(program: Program, statement: Stmt) -> Iterator[BodyDecl]:
    match statement:
        case Call(proc=proc, arguments=arguments):
            yield program.procs[proc]
            for argument in arguments:
                match argument:
                    case Direct(decl=BhDecl() as bh):
                        yield bh
                    case _:
                        pass
        case Invoke(hook=hook):
            for name in program.hooks.get(hook, ()):
                yield program.procs[name]
        case Schedule(ref=Direct(decl=BhDecl() as bh)):
            yield bh
        case _:
            pass
