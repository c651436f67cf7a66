"""The state of a program as cells: one z3 constant for each part of the state, by what it stands for.

In: a control-flow graph. Out: the cells, their intervals and their initial values. It must not know what statements do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import z3

from formal.program import (
    BhDecl,
    BoolType,
    CondDecl,
    EventDecl,
    MutexDecl,
    Program,
    RwlockDecl,
    SemDecl,
    ThreadLocalDecl,
    VarDecl,
)
from formal.smt.arguments import interval
from formal.smt.bodies import bodies_by_thread, is_poll
from formal.smt.cfg import EXIT, FINISHED, NOT_SPAWNED, Body, Cfg
from formal.smt.terms import Num, Value, width


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A part of the state. `value` is what it holds now: a z3 constant, or for a thread group's register a term. `truth`: a Boolean."""

    name: str
    truth: bool
    lo: int
    hi: int
    value: Value
    initial: int


@dataclass(frozen=True, slots=True, eq=False)
class ThreadCells:
    """A thread's location, its number of nested bottom halves, where it polled for each of them, and its registers, by nesting level."""

    pc: Cell
    level: Cell
    saved: tuple[Cell, ...]  # [i]: the poll that entered level i + 1
    truths: tuple[tuple[Cell, ...], ...]  # [level][register]
    numbers: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """All cells, in order, and by what they stand for. The lists have one cell an element, or one a thread."""

    cells: tuple[Cell, ...]
    owner: Mapping[MutexDecl, tuple[Cell, ...]]
    count: Mapping[MutexDecl, tuple[Cell, ...]]
    writer: Mapping[RwlockDecl, tuple[Cell, ...]]
    readers: Mapping[RwlockDecl, tuple[tuple[Cell, ...], ...]]  # [element][thread]
    sems: Mapping[SemDecl, tuple[Cell, ...]]
    events: Mapping[EventDecl, tuple[Cell, ...]]
    waiters: Mapping[CondDecl, tuple[tuple[Cell, ...], ...]]
    pending: Mapping[BhDecl, tuple[Cell, ...]]
    variables: Mapping[VarDecl, tuple[Cell, ...]]
    thread_locals: Mapping[ThreadLocalDecl, tuple[Cell, ...]]
    threads: tuple[ThreadCells, ...]
    reachable: tuple[tuple[Body, ...], ...]  # per thread: the bodies it can run, its own first


class Staged(Protocol):
    """What the states of a program are made of, whatever else is known of it."""

    @property
    def cfg(self) -> Cfg: ...

    @property
    def layout(self) -> Layout: ...


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """That, and nothing else."""

    cfg: Cfg
    layout: Layout


class _Maker:
    """Makes cells, with the names that z3 sees."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []

    def truth(self, name: str, initial: bool) -> Cell:
        return self._keep(Cell(name, True, 0, 1, z3.Bool(name), int(initial)))

    def number(self, name: str, lo: int, hi: int, initial: int) -> Cell:
        if lo == hi:
            return Cell(name, False, lo, hi, Num(lo, hi, None), initial)
        return self._keep(Cell(name, False, lo, hi, Num(lo, hi, z3.BitVec(name, width(lo, hi))), initial))

    def typed(self, name: str, program: Program, type_: Any, initial: int) -> Cell:
        if isinstance(type_, BoolType):
            return self.truth(name, bool(initial))
        return self.number(name, *interval(program, type_), int(initial))

    def _keep(self, cell: Cell) -> Cell:
        self.cells.append(cell)
        return cell


def element_names(decl: Any) -> list[str]:
    """The names of a declaration's elements; of a single object, its own."""
    return [decl.name] if decl.size is None else [f"{decl.name}[{i}]" for i in range(decl.size)]


def _levels(program: Program, bodies: Sequence[Body]) -> int:
    """How deep bottom halves can be nested on a thread before the bound stops them."""
    if len(bodies) == 1:
        return 0
    nested = any(is_poll(node) for body in bodies[1:] for node in body.nodes)
    return program.bh_nesting if nested else min(1, program.bh_nesting)


def _thread(make: _Maker, cfg: Cfg, ident: int, bodies: Sequence[Body]) -> ThreadCells:
    thread = cfg.program.threads[ident]
    levels = _levels(cfg.program, bodies)
    entry = FINISHED if bodies[0].entry == EXIT else bodies[0].entry
    start = NOT_SPAWNED if ident in cfg.program.spawned else entry
    pc = make.number(f"{thread.name}.pc", 0, cfg.locations - 1, start)
    level = make.number(f"{thread.name}.level", 0, levels, 0)
    saved = tuple(make.number(f"{thread.name}.saved{i}", 0, cfg.locations - 1, 0) for i in range(levels))
    truths, numbers = [], []
    for depth in range(levels + 1):
        here = bodies[:1] if depth == 0 else bodies[1:]
        mark = f"{thread.name}/{depth}"
        truths.append(tuple(make.truth(f"{mark}.b{i}", False) for i in range(max(body.truths for body in here))))
        numbers.append(tuple(make.number(f"{mark}.n{i}", lo, hi, lo) for i, (lo, hi) in enumerate(_hulls(here))))
    return ThreadCells(pc, level, saved, tuple(truths), tuple(numbers))


def _hulls(bodies: Sequence[Body]) -> list[tuple[int, int]]:
    count = max(len(body.numbers) for body in bodies)
    hulls = []
    for i in range(count):
        own = [body.numbers[i] for body in bodies if i < len(body.numbers)]
        hulls.append((min(lo for lo, _ in own), max(hi for _, hi in own)))
    return hulls


def lay_out(cfg: Cfg) -> Layout:
    """The cells of a program's state."""
    program = cfg.program
    make = _Maker()
    names = [thread.name for thread in program.threads]
    last = len(names) - 1

    def per_element(decl: Any, mark: str, lo: int, hi: int, initial: int) -> tuple[Cell, ...]:
        return tuple(make.number(f"{name}{mark}", lo, hi, initial) for name in element_names(decl))

    def per_thread(decl: Any, mark: str) -> tuple[tuple[Cell, ...], ...]:
        return tuple(tuple(make.truth(f"{name}{mark}.{thread}", False) for thread in names) for name in element_names(decl))

    owner = {m: per_element(m, ".owner", -1, last, -1) for m in program.mutexes}
    count = {m: per_element(m, ".count", 0, m.max_count, 0) for m in program.mutexes if m.recursive}
    writer = {r: per_element(r, ".writer", -1, last, -1) for r in program.rwlocks}
    readers = {r: per_thread(r, ".reader") for r in program.rwlocks}
    sems = {s: per_element(s, ".sem", 0, s.max_count, s.initial) for s in program.sems}
    events = {e: tuple(make.truth(f"{name}.set", e.initial) for name in element_names(e)) for e in program.events}
    waiters = {c: per_thread(c, ".waiter") for c in program.conds}
    pending = {b: _pending(make, b) for b in program.bhs}
    variables = {
        v: tuple(make.typed(n, program, v.type, i) for n, i in zip(element_names(v), v.initial, strict=True)) for v in program.variables
    }
    thread_locals = {d: tuple(make.typed(f"{n}.{d.name}", program, d.type, d.initial) for n in names) for d in program.thread_locals}
    reachable = bodies_by_thread(cfg)
    threads = tuple(_thread(make, cfg, ident, own) for ident, own in enumerate(reachable))
    cells = tuple(make.cells)
    return Layout(cells, owner, count, writer, readers, sems, events, waiters, pending, variables, thread_locals, threads, reachable)


def _pending(make: _Maker, decl: BhDecl) -> tuple[Cell, ...]:
    if decl.oneshot:
        return tuple(make.number(f"{name}.pending", 0, decl.max_count, 0) for name in element_names(decl))
    return tuple(make.truth(f"{name}.pending", False) for name in element_names(decl))
