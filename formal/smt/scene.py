"""Who moves, and with which registers: the state as one group of threads sees it that shares a copy of the code.

In: the layout and the threads of the group. Out: the moving thread's location, nesting and registers, as terms that pick the thread's own
(nothing to pick in a group of one), and `State`, the state in the middle of a step. It must not know what statements do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from formal.program import Program
from formal.smt.cfg import Cfg, Node, Slot
from formal.smt.layout import Cell, Layout, ThreadCells
from formal.smt.terms import Bool, Num, Value, any_of, both, equal, number, recast, select

Loose: TypeAlias = "Callable[[Layout, Node, State, list[Any]], list[Any]]"


class State:
    """A state in the middle of a step: the cells that were written, the others as they were."""

    __slots__ = ("written",)

    def __init__(self, written: dict[Cell, Value] | None = None) -> None:
        self.written = written if written is not None else {}

    def read(self, cell: Cell) -> Value:
        return self.written.get(cell, cell.value)

    def with_value(self, cell: Cell, value: Value) -> State:
        """The state after `cell` got this value."""
        return State({**self.written, cell: value if cell.truth or value.term is None else recast(value, cell.lo, cell.hi)})


@dataclass(frozen=True, slots=True, eq=False)
class Registers:
    """The registers of frames at one place of the stack: the thread's own body, or the innermost bottom half."""

    truths: tuple[Cell, ...]
    numbers: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A group of threads, one of which moves: `who`. `loose`: what becomes of the outcomes of statements that need not be counted on."""

    program: Program
    cfg: Cfg
    layout: Layout
    threads: tuple[int, ...]
    who: Num
    pc: Num
    level: Cell
    saved: tuple[Cell, ...]
    outer: Registers  # of the thread's own body
    nested: Registers  # of the innermost bottom half
    loose: Loose | None = None

    def is_who(self, thread: int) -> Bool:
        """Whether this thread moves."""
        return equal(self.who, number(thread))

    def register(self, node_is_thread: bool, slot: Slot) -> Cell:
        """The register that a slot of the moving thread's current body means."""
        registers = self.outer if node_is_thread else self.nested
        return registers.truths[slot.number] if slot.truth else registers.numbers[slot.number]

    def at(self, node: Node) -> Bool:
        """Whether the moving thread stands at this node."""
        return equal(self.pc, number(node.id))


def stands(state: State, cells: ThreadCells, locations: Sequence[int]) -> Bool:
    """Whether a thread stands at one of these locations."""
    pc = state.read(cells.pc)
    return any_of([equal(pc, number(location)) for location in locations])


def _merged(name: str, picks: Sequence[tuple[Bool, Cell]]) -> Cell:
    """A register of whichever condition holds; one of them does."""
    if len(picks) == 1:
        return picks[0][1]
    lo, hi = min(cell.lo for _, cell in picks), max(cell.hi for _, cell in picks)
    value = select([(condition, cell.value) for condition, cell in picks[:-1]], picks[-1][1].value)
    truth = picks[0][1].truth
    return Cell(name, truth, lo, hi, value if truth else recast(value, lo, hi), 0)


def _column(rows: Sequence[tuple[Bool, Sequence[Cell]]], name: str) -> tuple[Cell, ...]:
    longest = max((len(cells) for _, cells in rows), default=0)
    return tuple(_merged(f"{name}{i}", [(c, cells[i]) for c, cells in rows if i < len(cells)]) for i in range(longest))


def set_scene(cfg: Cfg, layout: Layout, threads: tuple[int, ...], who: Num, prefix: str = "group") -> Scene:
    """The scene of a group; `who` is one of its threads."""
    chosen = [(equal(who, number(t)) if len(threads) > 1 else True, layout.threads[t]) for t in threads]

    def gather(rows: Callable[[ThreadCells], list[tuple[Bool, Sequence[Cell]]]], name: str) -> tuple[Cell, ...]:
        found: list[tuple[Bool, Sequence[Cell]]] = []
        for condition, cells in chosen:
            for deeper, registers in rows(cells):
                found.append((both(condition, deeper), registers))
        return _column(found, f"{prefix}.{name}")

    pc = _merged(f"{prefix}.pc", [(c, cells.pc) for c, cells in chosen])
    level = _merged(f"{prefix}.level", [(c, cells.level) for c, cells in chosen])
    outer = Registers(gather(lambda t: [(True, t.truths[0])], "b"), gather(lambda t: [(True, t.numbers[0])], "n"))
    nested = Registers(gather(lambda t: _by_level(t, t.truths), "nb"), gather(lambda t: _by_level(t, t.numbers), "nn"))
    saved = gather(lambda t: [(True, t.saved)], "saved")
    return Scene(cfg.program, cfg, layout, threads, who, pc.value, level, saved, outer, nested)


def _by_level(cells: ThreadCells, registers: Sequence[Sequence[Cell]]) -> list[tuple[Bool, Sequence[Cell]]]:
    deepest = len(registers) - 1
    if deepest == 1:
        return [(True, registers[1])]
    return [(equal(cells.level.value, number(depth)), registers[depth]) for depth in range(1, deepest + 1)]
