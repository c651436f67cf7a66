"""Warnings that need a look at the states: statements that no execution reaches, waits that never end, properties that nothing evaluates.

In: a program, and a survey of its states. Out: warnings. A survey that is not exhausted proves nothing about what it has not met, so then
nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from formal.codes import Code
from formal.diagnostics import Diagnostic, Span
from formal.engines.survey import Survey
from formal.frontend.walking import blocks_of, walk
from formal.program import (
    Assert,
    Await,
    Block,
    Break,
    Call,
    Continue,
    Invoke,
    Loop,
    Program,
    Return,
    Stmt,
    WaitCond,
    WaitEvent,
    WaitSem,
)


def checked(program: Program, told: Sequence[Diagnostic], survey: Survey, named: Collection[str]) -> tuple[Diagnostic, ...]:
    """What the text alone says of a program (`told`), and what its states say, in the order of the text: of each place once, and nothing of
    the inside of a body that never runs, which is said of the whole."""
    places = {one.span for one in told}
    idle = [one.span for one in told if one.code in (Code.UNUSED, Code.NEVER_RUN) and one.span is not None]
    bodies = [*(bh.span for bh in program.bhs), *(proc.span for proc in program.procs.values())]
    never = [body for body in bodies if any(_within(span, body) for span in idle)]
    found = [one for one in unreached(program, survey, named) if one.span not in places]
    position = {source: number for number, source in enumerate(program.sources)}
    kept = [*told, *(one for one in found if one.span is None or not any(_within(one.span, body) for body in never))]
    return tuple(sorted(kept, key=lambda one: (-1, 0) if one.span is None else (position.get(one.span.source, -1), one.span.start)))


def _within(span: Span, whole: Span) -> bool:
    return span.source is whole.source and whole.start <= span.start and span.end <= whole.end


def unreached(program: Program, survey: Survey, named: Collection[str]) -> tuple[Diagnostic, ...]:
    """One warning for the first statement of each stretch that no execution reaches, and one for each wait that none gets past.

    Only of the files in `named`: nobody has to use everything that a library, or what two models share, offers.
    """
    if not survey.exhausted:
        return ()
    threads = dict.fromkeys(thread.decl for thread in program.threads)
    bodies = [*(thread.body for thread in threads), *(bh.body for bh in program.bhs)]
    bodies += [Block((*proc.requires, proc.body, *proc.ensures)) for proc in program.procs.values()]
    return tuple(found for body in bodies if _written_in(body, named) for found in _block(body, survey))


def _written_in(body: Block, named: Collection[str]) -> bool:
    return any(not isinstance(statement, Block) and statement.info.span.source.path in named for statement in walk(body))


def _block(block: Block, survey: Survey) -> Iterator[Diagnostic]:
    """What follows an unreached statement is not reached either: one warning is enough."""
    for statement in block.statements:
        if not isinstance(statement, Block):
            uid = statement.info.uid
            if _stands(statement) and uid not in survey.executed:
                vacuous = isinstance(statement, Assert)
                message = "no execution evaluates this: it holds vacuously" if vacuous else "no execution reaches this statement"
                yield Diagnostic(Code.VACUOUS if vacuous else Code.UNREACHABLE, message, statement.info.span)
                return
            if isinstance(statement, Await | WaitSem | WaitEvent | WaitCond) and uid not in survey.passed:
                if not statement.info.idle:
                    yield Diagnostic(Code.NEVER_TRUE, "in no execution does this wait end", statement.info.span)
                return
        for inner in blocks_of(statement):
            yield from _block(inner, survey)


def _stands(statement: Stmt) -> bool:
    """Whether a thread can stand at it, so that the survey would have seen it there."""
    return not isinstance(statement, Block | Break | Continue | Return | Call | Invoke | Loop)
