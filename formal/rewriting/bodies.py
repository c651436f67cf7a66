"""The bodies of a program. In: programs. Out: bodies by name, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from os.path import normpath

from formal import program as p
from formal.diagnostics import Span
from formal.frontend.walking import walk
from formal.verdict import SourceRef

Decl = p.ThreadDecl | p.BhDecl | p.ProcDecl


def decls_of(program: p.Program) -> dict[str, Decl]:
    """What has a body, by name: threads, bottom halves, procedures and callbacks."""
    found: list[Decl] = list(dict.fromkeys(thread.decl for thread in program.threads))
    return {decl.name: decl for decl in (*found, *program.bhs, *program.procs.values())}


def bodies_of(program: p.Program) -> dict[str, p.Block]:
    """The bodies, by name."""
    return {name: decl.body for name, decl in decls_of(program).items()}


def statements_of(program: p.Program) -> Iterator[p.Stmt]:
    """Every statement, `requires` and `ensures` included, blocks left out."""
    for decl in decls_of(program).values():
        yield from (statement for statement in walk(decl.body) if not isinstance(statement, p.Block))
        if isinstance(decl, p.ProcDecl):
            yield from (*decl.requires, *decl.ensures)


def reached(program: p.Program) -> dict[str, Decl]:
    """Those of the bodies that some thread may come to: by calls, invocations, and whatever is scheduled."""
    todo: list[Decl] = list(dict.fromkeys(thread.decl for thread in program.threads))
    found = {decl.name: decl for decl in todo}
    while todo:
        for statement in walk(todo.pop().body):
            for decl in _named(program, statement):
                if decl.name not in found:
                    found[decl.name] = decl
                    todo.append(decl)
    return {name: decl for name, decl in decls_of(program).items() if name in found}


def _named(program: p.Program, statement: p.Stmt) -> Iterator[Decl]:
    match statement:
        case p.Call(proc=proc, arguments=arguments):
            yield program.procs[proc]
            yield from (one.decl for one in arguments if isinstance(one, p.Direct) and isinstance(one.decl, p.BhDecl))
        case p.Invoke(hook=hook):
            yield from (program.procs[name] for name in program.hooks[hook])
        case p.Schedule(ref=p.Direct(decl=p.BhDecl() as half)):
            yield half
        case _:
            return


def place_of(span: Span) -> SourceRef:
    """Where something stands, without detours in the path."""
    return SourceRef(normpath(span.source.path), span.line)
