"""The order in which locks are taken, as the code has it: cycles in it are suspicious even where no reachable state closes them.

In: a program. Out: one line for each cycle, with the places. It looks at control flow only, never at values: whatever may be held counts as
held. It must not know z3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from formal.program import Program
from formal.smt.bodies import bodies_by_thread
from formal.smt.cfg import FINISHED, Body, Cfg, Node
from formal.smt.deeds import EVERY, Family
from formal.smt.holding import Held, facts_of, lock_effect
from formal.smt.lower import lower


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """`inner` is taken while `outer` may be held."""

    outer: Held
    inner: Held
    node: Node
    thread: int


def _taken(program: Program, cfg: Cfg, bodies: tuple[Body, ...], thread: int) -> Iterator[_Taken]:
    """What one thread takes while it may hold something else."""
    family = Family(program, thread)
    for ident, facts in sorted(facts_of(cfg, bodies, thread).items()):
        if ident == FINISHED:
            continue
        takes, _ = lock_effect(family, cfg.nodes[ident])
        if takes is not None:
            for outer in sorted(facts.may, key=_name):
                if outer != takes or EVERY in (outer[1], takes[1]):
                    yield _Taken(outer, takes, cfg.nodes[ident], thread)


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
    cfg = lower(program)
    bodies = bodies_by_thread(cfg)
    edges: dict[tuple[str, str], _Taken] = {}
    threads: dict[tuple[str, str], set[int]] = {}
    for thread in range(len(program.threads)):
        for taken in _taken(program, cfg, bodies[thread], thread):
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
