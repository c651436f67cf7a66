"""What a thread may still do: for each place, the deeds that its control can reach from there.

In: a control-flow graph. Out: by thread and node, a set of deeds as a bit mask; and what an awaited expression speaks of.
Tests count for nothing here: both ways are possible. It must not know z3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from formal.program import (
    AioWaitWhile,
    Assign,
    Binary,
    Bound,
    Call,
    Direct,
    Expr,
    Literal,
    Lock,
    Member,
    Place,
    Poll,
    PostSem,
    Program,
    Ref,
    Schedule,
    Spawn,
    ThreadLocalPlace,
    Unary,
    Unlock,
    VarDecl,
    WaitCond,
    WaitSem,
    Wake,
    With,
    WriteEvent,
)
from formal.smt.bodies import bhs_of, is_poll
from formal.smt.cfg import Body, Node, Root, Site
from formal.smt.references import resolve

EVERY = -1  # as an index: every element
NO_ELEMENT = -2  # as an index: one outside of the array
Deed: TypeAlias = tuple[str, Any, int]  # what, of which declaration, which element (a thread for a spawn)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Whose indices are known: the thread's own, within its family."""

    program: Program
    thread: int

    def index(self, root: Root) -> int | None:
        if root.is_thread:
            return self.program.threads[self.thread].index
        return root.index


def static_value(family: Family, site: Site, expr: Expr) -> int | None:
    """The value of an index made of literals, `for` variables and family indices; None of any other."""
    match expr:
        case Literal():
            return int(expr.value)
        case Bound():
            if expr.binder in site.binders:
                return site.binders[expr.binder]
            return family.index(site.root) if expr.binder is site.root.decl.binder else None
        case Member(ref=Direct(decl=decl, index=index)):
            at = 0 if index is None else static_value(family, site, index)
            return None if at is None else family.program.families[decl.name][0] + at
        case Unary(op="-"):
            value = static_value(family, site, expr.operand)
            return None if value is None else -value
        case Binary():
            return _static_binary(family, site, expr)
        case _:
            return None


def _static_binary(family: Family, site: Site, expr: Binary) -> int | None:
    left, right = static_value(family, site, expr.left), static_value(family, site, expr.right)
    if left is None or right is None:
        return None
    match expr.op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" | "%":
            if right == 0:
                return None
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return quotient if expr.op == "/" else left - right * quotient
        case _:
            return None


def element_of(family: Family, ref: Ref | Place, site: Site) -> tuple[Any, int]:
    """The declaration that a reference names and which of its elements: EVERY where that isn't known before the run, NO_ELEMENT if the
    index is certainly outside."""
    target = resolve(ref, site)
    assert isinstance(target.ref, Direct)
    decl, index = target.ref.decl, target.ref.index
    if index is None:
        return decl, 0
    value = static_value(family, target.site, index) if target.kept is None else None
    if value is None:
        return decl, EVERY
    if isinstance(decl, VarDecl) and decl.family is not None:
        value -= family.program.families[decl.family][0]
    return decl, value if 0 <= value < (decl.size or 1) else NO_ELEMENT


def _assigned(family: Family, place: Place | None, site: Site) -> Iterator[Deed]:
    if place is None:
        return
    target = resolve(place, site).ref
    if isinstance(target, ThreadLocalPlace):
        yield "thread_local", target.decl, 0
    elif isinstance(target, Direct):
        yield "assign", *element_of(family, place, site)


def deeds_of(family: Family, node: Node) -> Iterator[Deed]:  # noqa: C901 - one arm a kind
    """What executing one node may change, as far as anyone can wait for it."""
    stmt, site = node.stmt, node.site
    match stmt:
        case Assign():
            yield from _assigned(family, stmt.place, site)
        case Call() if node.phase == "assign":
            yield from _assigned(family, stmt.place, site)
        case Lock() | Unlock() | With():
            yield "lock", *element_of(family, stmt.ref, site)
        case WaitCond():
            yield "lock", *element_of(family, stmt.lock, site)
        case PostSem() | WaitSem():
            yield "count", *element_of(family, stmt.ref, site)
            if isinstance(stmt, PostSem):
                yield "post", *element_of(family, stmt.ref, site)
        case WriteEvent():
            yield "flag", *element_of(family, stmt.ref, site)
            if stmt.value:
                yield "set", *element_of(family, stmt.ref, site)
        case Wake():
            yield "wake", *element_of(family, stmt.ref, site)
        case Schedule():
            yield "schedule", *element_of(family, stmt.ref, site)
            yield "pending", *element_of(family, stmt.ref, site)
        case Poll() | AioWaitWhile() if is_poll(node):
            yield from (("pending", bh, EVERY) for bh in bhs_of(family.program, node))
        case Spawn():
            yield from _spawned(family, stmt, site)
        case _:
            pass


def _spawned(family: Family, stmt: Spawn, site: Site) -> Iterator[Deed]:
    decl, index = element_of(family, stmt.thread, site)
    members = family.program.families[decl.name]
    for position, thread in enumerate(members):
        if index in (EVERY, position):
            yield "spawn", None, thread


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Of one thread: the deeds that it may still do from each node on, as masks over `numbers`."""

    masks: Mapping[int, int]
    numbers: Mapping[Deed, int]

    def nodes(self, deeds: Sequence[Deed]) -> frozenset[int]:
        """The nodes from where on one of the deeds is within reach; an element counts for EVERY and the other way round."""
        wanted = 0
        for deed, number in self.numbers.items():
            if any(_meets(deed, other) for other in deeds):
                wanted |= 1 << number
        return frozenset(node for node, mask in self.masks.items() if mask & wanted)


def _meets(one: Deed, other: Deed) -> bool:
    if NO_ELEMENT in (one[2], other[2]):
        return False
    return one[:2] == other[:2] and (one[2] == other[2] or EVERY in (one[2], other[2]))


def reach(bodies: Sequence[Body], program: Program, thread: int) -> Reach:
    """The deeds within one thread's reach, from every node of every body it can run."""
    family = Family(program, thread)
    numbers: dict[Deed, int] = {}
    masks: dict[int, int] = {}
    nodes = [node for body in bodies for node in body.nodes]
    for node in nodes:
        mask = 0
        for deed in deeds_of(family, node):
            mask |= 1 << numbers.setdefault(deed, len(numbers))
        masks[node.id] = mask
    entries = {(body.root.decl, body.root.index or 0): body for body in bodies[1:]}
    follows = {node.id: [*node.targets, *_entered(program, node, entries)] for node in nodes}
    changed = True
    while changed:
        changed = False
        for node in reversed(nodes):
            mask = masks[node.id]
            for target in follows[node.id]:
                mask |= masks.get(target, 0)
            if mask != masks[node.id]:
                masks[node.id] = mask
                changed = True
    return Reach(masks, numbers)


def _entered(program: Program, node: Node, entries: Mapping[tuple[Any, int], Body]) -> list[int]:
    """The bottom halves that a node may enter."""
    if is_poll(node):
        return [entries[bh, i].entry for bh in bhs_of(program, node) for i in range(bh.size or 1)]
    return []
