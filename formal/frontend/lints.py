"""Warnings about models that are no mistakes, but hardly meant: what is declared and not used, what cannot be reached or cannot hold.

In: a program, the tables of names. Out: warnings. Only what is certain is said; what needs a search of the states is said elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from formal import program as p
from formal.codes import Code
from formal.diagnostics import Diagnostic, Span
from formal.frontend.names import Names
from formal.frontend.walking import blocks_of, walk


def static_lints(program: p.Program, names: Names, named: Collection[str]) -> tuple[Diagnostic, ...]:
    """All warnings that follow from the text alone, in textual order a kind."""
    return (
        *_unused(names, named),
        *_never_taken(program, names, named),
        *_never_run(program, named),
        *_unreachable(program),
        *_constant(program, names),
    )


def _bodies(program: p.Program) -> list[p.Block]:
    threads = [decl.body for decl in dict.fromkeys(thread.decl for thread in program.threads)]
    return threads + [bh.body for bh in program.bhs] + [proc.body for proc in program.procs.values()]


def _statements(program: p.Program) -> Iterator[p.Stmt]:
    for body in _bodies(program):
        yield from walk(body)


def _own(span: Span, named: Collection[str]) -> bool:
    """Whether a place is in a file named on the command line: a library need not be used up."""
    return span.source.path in named


def _unused(names: Names, named: Collection[str]) -> Iterator[Diagnostic]:
    for name, span in names.declared.items():
        decl = names.objects.get(name)
        if name in names.used or isinstance(decl, p.ThreadDecl | p.ContextDecl | p.BhDecl) or not _own(span, named):
            continue
        proc = names.procs.get(name)
        if proc is not None and proc.hook is not None:
            continue
        yield Diagnostic(Code.UNUSED, f"`{name}` is declared and never used", span)


def _objects(ref: p.Ref, program: p.Program) -> set[str]:
    """Names of what a reference may stand for; through a parameter, everything of its kind."""
    if isinstance(ref, p.Direct):
        return {ref.decl.name}
    match ref.param.kind:
        case "mutex":
            return {decl.name for decl in program.mutexes}
        case "rwlock":
            return {decl.name for decl in program.rwlocks}
        case "bh":
            return {decl.name for decl in program.bhs}
        case "context":
            return {decl.name for decl in program.contexts}
        case _:
            return set()


def _never_taken(program: p.Program, names: Names, named: Collection[str]) -> Iterator[Diagnostic]:
    """Of what is named somewhere: a lock that is not is unused, which says it all."""
    taken: set[str] = set()
    given: set[str] = set()
    for statement in _statements(program):
        if isinstance(statement, p.Lock | p.With):
            taken |= _objects(statement.ref, program)
        if isinstance(statement, p.Unlock):
            given |= _objects(statement.ref, program)
    locks = [(lock.name, lock.span) for lock in program.mutexes] + [(lock.name, lock.span) for lock in program.rwlocks]
    for name, span in locks:
        if name not in taken and (_own(span, named) or name in given) and name in names.used:
            yield Diagnostic(Code.NEVER_TAKEN, f"no statement takes `{name}`", span)


def _never_run(program: p.Program, named: Collection[str]) -> Iterator[Diagnostic]:
    scheduled: set[str] = set()
    polled: set[str] = set()
    for statement in _statements(program):
        if isinstance(statement, p.Schedule):
            scheduled |= _objects(statement.ref, program)
        if isinstance(statement, p.Poll | p.AioWaitWhile):
            polled |= _objects(statement.ref, program)
    for bh in program.bhs:
        if not _own(bh.span, named):
            continue
        if bh.name not in scheduled:
            yield Diagnostic(Code.NEVER_RUN, f"no statement schedules `{bh.name}`", bh.span)
        elif bh.context.name not in polled:
            yield Diagnostic(Code.NEVER_RUN, f"`{bh.name}` never runs: no statement polls `{bh.context.name}`", bh.span)


def _unreachable(program: p.Program) -> Iterator[Diagnostic]:
    for body in _bodies(program):
        yield from _behind_jumps(body)


def _behind_jumps(block: p.Block) -> Iterator[Diagnostic]:
    reached = True
    for statement in block.statements:
        if not reached and not isinstance(statement, p.Block):
            yield Diagnostic(Code.UNREACHABLE, "no execution reaches this statement", statement.info.span)
            return
        for inner in blocks_of(statement):
            yield from _behind_jumps(inner)
        if isinstance(statement, p.Return | p.Break | p.Continue):
            reached = False
        if isinstance(statement, p.Loop) and not any(isinstance(s, p.Break) for s in walk(statement.body)):
            reached = False


def _configured(span: Span, names: Names) -> bool:
    """Whether the text speaks of constants or parameters: then it may well say something in another configuration of the model."""
    words = re.findall(r"[A-Za-z_]\w*", span.source.text[span.start : span.end])
    return any(word in names.constants and not isinstance(names.constants[word].type, p.EnumType) for word in words)


def _constant(program: p.Program, names: Names) -> Iterator[Diagnostic]:
    for statement in _statements(program):
        if isinstance(statement, p.Block):
            continue
        match statement:
            case p.Await(condition=p.Literal(value=False)) if not _configured(statement.info.span, names):
                yield Diagnostic(Code.NEVER_TRUE, "this `await` can never hold", statement.info.span)
            case p.Assert(condition=p.Literal(value=True), prop=name) if not _configured(statement.info.span, names):
                yield Diagnostic(Code.VACUOUS, f"`{name}` is constantly true", statement.info.span)
            case _:
                continue
    for prop in program.properties:
        if isinstance(prop.condition, p.Literal) and prop.condition.value and prop.span is not None and not _configured(prop.span, names):
            yield Diagnostic(Code.VACUOUS, f"`{prop.name}` is constantly true", prop.span)
