"""What a thread surely and possibly has at each place: which mutexes it owns, which values its own thread-locals have.

In: a program's bodies. Out: by thread and location, facts that hold in every execution that has not ended in an error. They follow from
control flow alone: nobody else can take a mutex away from its owner, or change a thread-local that every statement changes as `self`'s.
It must not know z3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from formal.program import (
    Assign,
    Call,
    Literal,
    Lock,
    MutexDecl,
    Program,
    ThreadLocalDecl,
    ThreadLocalPlace,
    Unlock,
    WaitCond,
    With,
)
from formal.smt.bodies import bhs_of, is_poll
from formal.smt.cfg import EXIT, FINISHED, Body, Cfg, Node
from formal.smt.deeds import EVERY, Family, element_of
from formal.smt.references import resolve

Held: TypeAlias = tuple[Any, int]  # a lock's declaration and the element, EVERY where that isn't known
Known: TypeAlias = frozenset[tuple[ThreadLocalDecl, int]]  # thread-locals and the values they may have


@dataclass(frozen=True, slots=True)
class Facts:
    """Before a node: the locks that the thread may hold, those that it surely holds, and the values that its thread-locals may have."""

    may: frozenset[Held]
    must: frozenset[Held]
    values: Known

    def join(self, other: Facts) -> Facts:
        return Facts(self.may | other.may, self.must & other.must, self.values | other.values)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Where control can go from the nodes of one thread's bodies, the ends of bottom halves included."""

    nodes: Mapping[int, Node]
    follows: Mapping[int, tuple[int, ...]]
    entry: int


def flow_of(program: Program, bodies: Sequence[Body], respawned: bool) -> Flow:
    """The flow of a thread that can run these bodies, its own first; `respawned`: it may begin again when it has finished."""
    nodes = {node.id: node for body in bodies for node in body.nodes}
    entries = {(body.root.decl, body.root.index or 0): body for body in bodies[1:]}
    returns: dict[Any, list[int]] = {}  # per bottom half declaration: what follows the polls that may enter it
    for node in nodes.values():
        if is_poll(node):
            for bh in bhs_of(program, node):
                returns.setdefault(bh, []).append(node.targets[0])
    ends = _ends(nodes, returns)
    entry = FINISHED if bodies[0].entry == EXIT else bodies[0].entry
    follows: dict[int, tuple[int, ...]] = {FINISHED: (entry,) if respawned and entry != FINISHED else ()}
    for node in nodes.values():
        targets = list(node.targets)
        if is_poll(node):
            targets += [entries[bh, i].entry for bh in bhs_of(program, node) for i in range(bh.size or 1)]
            targets = [t for t in targets if t != EXIT] + ([EXIT] if node.targets[0] == EXIT else [])
        here: dict[int, None] = {}
        for target in targets:
            here.update(dict.fromkeys([target] if target != EXIT else ends.get(node.site.root.decl, (FINISHED,))))
        follows[node.id] = tuple(here)
    return Flow(nodes, follows, entry)


def _ends(nodes: Mapping[int, Node], returns: Mapping[Any, Sequence[int]]) -> dict[Any, tuple[int, ...]]:
    """Where the end of each bottom half can lead: behind a poll, which may be the end of another one."""
    owners: dict[Any, dict[Any, None]] = {}
    for node in nodes.values():
        if is_poll(node) and node.targets[0] == EXIT:
            for bh in returns:
                if node.targets[0] in returns[bh]:
                    owners.setdefault(bh, {})[node.site.root.decl] = None
    found: dict[Any, tuple[int, ...]] = {}
    for bh in returns:
        reached: dict[int, None] = {}
        seen = [bh]
        for decl in seen:
            if decl not in returns:  # a thread's own body
                reached[FINISHED] = None
                continue
            reached.update(dict.fromkeys(target for target in returns[decl] if target != EXIT))
            seen += [other for other in owners.get(decl, ()) if other not in seen]
        found[bh] = tuple(reached)
    return found


def lock_effect(family: Family, node: Node) -> tuple[Held | None, Held | None]:
    """The lock that a node takes and the one that it gives back."""
    match node.stmt:
        case Lock():
            return element_of(family, node.stmt.ref, node.site), None
        case Unlock():
            return None, element_of(family, node.stmt.ref, node.site)
        case With():
            lock = element_of(family, node.stmt.ref, node.site)
            return (lock, None) if node.phase == "enter" else (None, lock)
        case WaitCond():
            lock = element_of(family, node.stmt.lock, node.site)
            return (lock, None) if node.phase == "wake" else (None, lock)
        case _:
            return None, None


def _recursive(lock: Held) -> bool:
    return isinstance(lock[0], MutexDecl) and lock[0].recursive


def _after(family: Family, node: Node, before: Facts) -> Facts:
    takes, gives = lock_effect(family, node)
    may, must = before.may, before.must
    if takes is not None:
        may = may | {takes}
        must = must if takes[1] == EVERY else must | {takes}
    if gives is not None:
        may = may if gives[1] == EVERY or _recursive(gives) else may - {gives, (gives[0], EVERY)} if _only(gives) else may - {gives}
        must = frozenset(lock for lock in must if lock[0] is not gives[0] or (EVERY not in (lock[1], gives[1]) and lock != gives))
    return Facts(may, must, _after_assignment(node, before.values))


def _only(lock: Held) -> bool:
    return lock[0].size is None


def _after_assignment(node: Node, values: Known) -> Known:
    place = node.stmt.place if isinstance(node.stmt, Assign) or (isinstance(node.stmt, Call) and node.phase == "assign") else None
    target = resolve(place, node.site).ref if place is not None else None
    if not isinstance(target, ThreadLocalPlace):
        return values
    rest = frozenset(pair for pair in values if pair[0] is not target.decl)
    if isinstance(node.stmt, Assign) and isinstance(node.stmt.value, Literal):
        return rest | {(target.decl, int(node.stmt.value.value))}
    return rest | {(target.decl, value) for value in _all_values(target.decl)}


def _all_values(decl: ThreadLocalDecl) -> Iterator[int]:
    type_: Any = decl.type
    match type_:
        case _ if hasattr(type_, "lo"):
            yield from range(type_.lo, type_.hi + 1)
        case _ if hasattr(type_, "members"):
            yield from range(len(type_.members))
        case _:
            yield from (0, 1)


def private_locals(cfg: Cfg) -> tuple[ThreadLocalDecl, ...]:
    """The thread-locals that every assignment changes as self's, and that have few values."""
    foreign: set[int] = set()
    for node in cfg.nodes.values():
        if isinstance(node.stmt, Assign | Call) and node.stmt.place is not None:
            target = resolve(node.stmt.place, node.site).ref
            if isinstance(target, ThreadLocalPlace) and target.thread is not None:
                foreign.add(id(target.decl))
    few = [d for d in cfg.program.thread_locals if getattr(d.type, "hi", 1) - getattr(d.type, "lo", 0) < MANY_VALUES]
    return tuple(d for d in few if id(d) not in foreign)


MANY_VALUES = 8


def facts_of(cfg: Cfg, bodies: Sequence[Body], thread: int) -> dict[int, Facts]:
    """By node (and FINISHED): the facts before it. Nodes that control cannot reach are left out."""
    family = Family(cfg.program, thread)
    flow = flow_of(cfg.program, bodies, thread in cfg.program.spawned)
    start = Facts(frozenset(), frozenset(), frozenset((d, int(d.initial)) for d in private_locals(cfg)))
    before = {flow.entry: start}
    work = [flow.entry]
    while work:
        ident = work.pop()
        after = before[ident] if ident == FINISHED else _after(family, flow.nodes[ident], before[ident])
        for target in flow.follows[ident]:
            joined = after if target not in before else before[target].join(after)
            if before.get(target) != joined:
                before[target] = joined
                work.append(target)
    return before
