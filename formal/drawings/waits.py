"""Who waits for whom: threads, bottom halves, and the locks, contexts, semaphores, events and conditions between them.

In: a program. Out: a `Picture`. An arrow goes from who asks to what is asked for, and from what a wait depends on to who can end the wait:
along the arrows, everybody waits for what is at the tip. Locks that are taken while others are held have arrows of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from formal.drawings.deeds import Deed, actors, deeds, objects, shown_name
from formal.drawings.graph import Edge, Line, Node, Picture, Shape, Tone
from formal.program import (
    BhDecl,
    CondDecl,
    EventDecl,
    MutexDecl,
    Program,
    RwlockDecl,
    SemDecl,
    ThreadDecl,
)

# verb -> who asks, or who helps; and from the helper's side, what is done to the object
_ASKS: Final = ("takes", "waits for", "waits in", "polls", "joins")
_PASSIVE: Final = {
    "posts": "posted by",
    "sets": "set by",
    "resets": "reset by",
    "wakes": "woken by",
    "schedules": "scheduled by",
    "spawns": "spawned by",
}


def waits(program: Program) -> Picture:
    """The whole graph; nodes in order of their declaration, arrows in order of the deeds."""
    done = deeds(program)
    edges = list(_edges(program, done))
    named = {end for edge in edges for end in (edge.source, edge.target)} | {shown_name(body.decl) for body in actors(program)}  # type: ignore[arg-type]
    nodes = tuple(_node(name, decl) for name, decl in objects(program).items() if name in named)
    return Picture("waits", f"{program.name}: who waits for whom", program.file, nodes, tuple(edges))


def _node(name: str, decl: object) -> Node:
    shape, kind = _kind(decl)
    return Node(name, shape, (Line(name), Line(kind)))


def _kind(decl: object) -> tuple[Shape, str]:
    match decl:
        case ThreadDecl():
            return "thread", "thread" if decl.size is None else f"{decl.size} threads"
        case BhDecl():
            return "bh", "bottom half" if decl.size is None else f"{decl.size} bottom halves"
        case MutexDecl():
            return "lock", "recursive mutex" if decl.recursive else "mutex"
        case RwlockDecl():
            return "lock", "rwlock"
        case SemDecl():
            return "semaphore", f"semaphore, {decl.initial} of {decl.max_count}"
        case EventDecl():
            return "event", "event"
        case CondDecl():
            return "condition", "condition"
        case _:
            return "context", "context"


def _edges(program: Program, done: Iterable[Deed]) -> Iterator[Edge]:
    asked: dict[tuple[str, str], dict[str, set[tuple[str, ...]]]] = {}
    helped: dict[tuple[str, str], dict[str, set[tuple[str, ...]]]] = {}
    order: dict[tuple[str, str], list[str]] = {}
    for deed in done:
        if deed.verb in _ASKS:
            asked.setdefault((deed.actor, deed.object), {}).setdefault(deed.verb, set()).add(deed.held)
        else:
            helped.setdefault((deed.object, deed.actor), {}).setdefault(_PASSIVE[deed.verb], set()).add(deed.held)
        if deed.verb == "takes":
            for outer in deed.held:
                actors_ = order.setdefault((outer, deed.object), [])
                actors_ += [deed.actor] if deed.actor not in actors_ else []
    for (source, target), verbs in asked.items():
        yield Edge(source, target, _label(verbs, told=True), "asks")
    for (source, target), verbs in helped.items():
        yield Edge(source, target, _label(verbs, told=False), "helps")
    for (outer, inner), who in order.items():
        yield Edge(outer, inner, f"held while {', '.join(who)} {'takes' if len(who) == 1 else 'take'} it", "order")
    yield from _dispatched(program)


def _dispatched(program: Program) -> Iterator[Edge]:
    """From a context to the bottom halves on it: who waits in it waits for one of them."""
    for body in actors(program):
        if isinstance(body.decl, BhDecl):
            yield Edge(shown_name(body.decl.context), shown_name(body.decl), "dispatches", "plain")
    for context in program.contexts:
        if context.home is not None:
            yield Edge(shown_name(context), shown_name(program.threads[context.home].decl), "at home in", "plain")


def _label(verbs: dict[str, set[tuple[str, ...]]], *, told: bool) -> str:
    """What is done, and what may be held meanwhile, where that matters: by whoever waits."""
    parts = []
    for verb, ways in verbs.items():
        held = sorted({lock for way in ways for lock in way})
        sometimes = "perhaps " if () in ways or len(ways) > 1 else ""
        parts.append(f"{verb}, {sometimes}holding {', '.join(held)}" if told and held and verb != "takes" else verb)
    return "; ".join(parts)


def tones(picture: Picture) -> tuple[tuple[Tone, str], ...]:
    """What the kinds of arrows in a picture mean."""
    meanings: tuple[tuple[Tone, str], ...] = (
        ("asks", "takes, waits for, polls"),
        ("helps", "is ended by"),
        ("order", "is held while the next one is taken"),
        ("plain", "context and bottom half"),
    )
    used = {edge.tone for edge in picture.edges}
    return tuple(pair for pair in meanings if pair[0] in used)
