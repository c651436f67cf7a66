"""The order in which locks are taken, as the code has it: cycles in it are suspicious even where no reachable state closes them.

In: a program. Out: one line for each cycle, with the places. It looks at control flow only, never at values: whatever may be held counts as
held. It must not know z3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from formal.program import Lock, Program, Unlock, WaitCond, With
from formal.smt.bodies import bhs_of, bodies_by_thread, is_poll
from formal.smt.cfg import Body, Node
from formal.smt.deeds import EVERY, Family, element_of
from formal.smt.lower import lower

Held: TypeAlias = tuple[Any, int]  # a declaration and an element of it, EVERY where that isn't known


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """`inner` is taken while `outer` may be held."""

    outer: Held
    inner: Held
    node: Node
    thread: int


def _effect(family: Family, node: Node) -> tuple[Held | None, Held | None]:
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


def _enters(program: Program, node: Node, bodies: Mapping[tuple[Any, int], Body]) -> list[Body]:
    if is_poll(node):
        return [bodies[bh, i] for bh in bhs_of(program, node) for i in range(bh.size or 1)]
    return []


class _Holding:
    """What one thread may hold before each node: the least solution, a bottom half's end flowing back to wherever it may be polled for."""

    def __init__(self, program: Program, bodies: tuple[Body, ...], thread: int) -> None:
        self.family = Family(program, thread)
        self.nodes = {node.id: node for body in bodies for node in body.nodes}
        self.before: dict[int, frozenset[Held]] = {}
        inner = {(body.root.decl, body.root.index or 0): body for body in bodies[1:]}
        self._follows = {node.id: self._following(program, node, inner) for node in self.nodes.values()}
        self._work = [bodies[0].entry] if bodies[0].entry in self.nodes else []
        if self._work:
            self.before[self._work[0]] = frozenset()
            self._solve()

    def _following(self, program: Program, node: Node, inner: Mapping[tuple[Any, int], Body]) -> list[int]:
        return [*node.targets, *(body.entry for body in _enters(program, node, inner))]

    def _solve(self) -> None:
        while self._work:
            node = self.nodes[self._work.pop()]
            takes, gives = _effect(self.family, node)
            after = self.before[node.id] | ({takes} if takes else set())
            if gives is not None:
                after -= {gives}
            for target in self._follows[node.id]:
                if target in self.nodes and (target not in self.before or not after <= self.before[target]):
                    self.before[target] = self.before.get(target, frozenset()) | after
                    self._work.append(target)

    def taken(self, thread: int) -> Iterator[_Taken]:
        for ident, held in sorted(self.before.items()):
            takes, _ = _effect(self.family, self.nodes[ident])
            if takes is not None:
                for outer in sorted(held, key=_name):
                    if outer != takes or EVERY in (outer[1], takes[1]):
                        yield _Taken(outer, takes, self.nodes[ident], thread)


def _name(held: Held) -> str:
    decl, index = held
    if decl.size is None:
        return str(decl.name)
    return f"{decl.name}[{'*' if index == EVERY else index}]"


def _meets(one: Held, other: Held) -> bool:
    return one[0] is other[0] and (one[1] == other[1] or EVERY in (one[1], other[1]))


def _cycles(edges: list[_Taken]) -> Iterator[list[_Taken]]:
    """For each edge the shortest way back from its inner lock to its outer one; each set of edges once."""
    seen: set[frozenset[int]] = set()
    for first in edges:
        ways: list[list[_Taken]] = [[first]]
        passed: set[str] = {_name(first.inner)}
        while ways:
            way = ways.pop(0)
            if _meets(way[-1].inner, first.outer):
                key = frozenset(edge.node.info.span.start for edge in way)
                if key not in seen:
                    seen.add(key)
                    yield way
                break
            for edge in edges:
                if _meets(way[-1].inner, edge.outer) and _name(edge.inner) not in passed:
                    passed.add(_name(edge.inner))
                    ways.append([*way, edge])


def lock_order_cycles(program: Program) -> list[str]:
    """One line for each cycle in the static lock order that more than one thread takes part in, or could.

    Raises EncodingLimitError when the program is too large to inline."""
    bodies = bodies_by_thread(lower(program))
    edges: dict[tuple[str, str], _Taken] = {}
    threads: dict[tuple[str, str], set[int]] = {}
    for thread in range(len(program.threads)):
        for taken in _Holding(program, bodies[thread], thread).taken(thread):
            key = (_name(taken.outer), _name(taken.inner))
            edges.setdefault(key, taken)
            threads.setdefault(key, set()).add(thread)
    lines = []
    for cycle in _cycles(list(edges.values())):
        involved = set().union(*(threads[_name(edge.outer), _name(edge.inner)] for edge in cycle))
        if len(involved) > 1:
            lines.append("locks are taken in a circle: " + ", ".join(_told(program, edge) for edge in cycle))
    return lines


def _told(program: Program, edge: _Taken) -> str:
    span = edge.node.info.span
    where = f"{span.source.path}:{span.line}"
    return f"{_name(edge.inner)} while holding {_name(edge.outer)} ({program.threads[edge.thread].name}, {where})"
