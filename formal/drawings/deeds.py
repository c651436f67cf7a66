"""What each thread and each bottom half may do to what others wait for.

In: a program. Out: `Deed`s, with the locks that may be held meanwhile. A bottom half is an actor of its own, whoever runs it; procedures
and callbacks belong to those that call them. Families count as one. Must not judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from formal.drawings.naming import Names, name_of
from formal.drawings.tracing import Held, Tracer
from formal.frontend.walking import expressions_of
from formal.outline import Body, reachable
from formal.program import (
    AioWaitWhile,
    Await,
    BhDecl,
    CondDecl,
    ContextDecl,
    Count,
    EventDecl,
    Expr,
    Info,
    IsSet,
    Join,
    Lock,
    MutexDecl,
    PendingBh,
    PendingContext,
    Poll,
    PostSem,
    Program,
    RwlockDecl,
    Schedule,
    SemDecl,
    Spawn,
    Stmt,
    ThreadDecl,
    WaitCond,
    WaitEvent,
    WaitSem,
    Wake,
    With,
    WriteEvent,
)

Object: TypeAlias = MutexDecl | RwlockDecl | SemDecl | EventDecl | CondDecl | ContextDecl | BhDecl | ThreadDecl


@dataclass(frozen=True, slots=True)
class Deed:
    """`verb` as in "vcpu takes BQL"; `held`: locks that may be held then; `info`: the first statement that does it."""

    actor: str
    verb: str
    object: str
    held: tuple[str, ...]
    info: Info


def shown_name(decl: Object) -> str:
    """An object's name, as deeds have it."""
    return decl.name if decl.size is None else f"{decl.name}[*]"


def objects(program: Program) -> dict[str, Object]:
    """Everything that deeds are done to, and whoever does them, by name."""
    threads = dict.fromkeys(thread.decl for thread in program.threads)
    several = (program.mutexes, program.rwlocks, program.sems, program.events, program.conds, program.contexts, program.bhs, threads)
    return {shown_name(decl): decl for decls in several for decl in decls}


def deeds(program: Program) -> tuple[Deed, ...]:
    """All of them, each once, in order of the actors."""
    found: dict[tuple[str, str, str, tuple[str, ...]], Deed] = {}

    def see(actor: str, stmt: Stmt, held: Held, names: Names) -> None:
        if isinstance(stmt, WaitCond):
            held = held - {name_of(stmt.lock, names)}  # given back meanwhile
        for verb, thing in _done(stmt, names):
            deed = Deed(actor, verb, thing, tuple(sorted(held)), stmt.info)  # type: ignore[union-attr]
            found.setdefault((actor, verb, thing, deed.held), deed)

    for body in actors(program):
        assert isinstance(body.decl, ThreadDecl | BhDecl), "procedures act for others"
        Tracer(program, partial(see, shown_name(body.decl))).body(body.whole, frozenset(), {})
    return tuple(found.values())


def actors(program: Program) -> tuple[Body, ...]:
    """The threads and the bottom halves that somebody may schedule."""
    return tuple(body for body in reachable(program) if body.kind in ("thread", "bh"))


def _done(stmt: Stmt, names: Names) -> Iterator[tuple[str, str]]:  # noqa: C901 - one arm a kind
    """What a statement does to what."""
    match stmt:
        case Lock(ref=ref) | With(ref=ref):
            yield "takes", name_of(ref, names)
        case WaitSem(ref=ref) | WaitEvent(ref=ref) | WaitCond(ref=ref):
            yield "waits for", name_of(ref, names)
        case PostSem(ref=ref):
            yield "posts", name_of(ref, names)
        case WriteEvent(ref=ref, value=value):
            yield "sets" if value else "resets", name_of(ref, names)
        case Wake(ref=ref):
            yield "wakes", name_of(ref, names)
        case Schedule(ref=ref):
            yield "schedules", name_of(ref, names)
        case Poll(ref=ref, blocking=blocking):
            yield "waits in" if blocking else "polls", name_of(ref, names)
        case AioWaitWhile(ref=ref):
            yield "waits in", name_of(ref, names)
        case Spawn(thread=ref):
            yield "spawns", name_of(ref, names)
        case Join(thread=ref):
            yield "joins", name_of(ref, names)
        case Await(condition=condition):
            yield from (("waits for", name) for name in _spoken_of(condition, names))
        case _:
            pass


def _spoken_of(expr: Expr, names: Names) -> Iterator[str]:
    """Contexts, bottom halves, events and semaphores that a condition asks about."""
    match expr:
        case PendingContext(context=ref) | PendingBh(bh=ref) | Count(ref=ref) | IsSet(event=ref):
            yield name_of(ref, names)
        case _:
            pass
    for inner in expressions_of(expr):
        yield from _spoken_of(inner, names)
