"""Which shared parts of the state a step reads and writes, so that steps that do not touch each other need be looked at in one order only.

In: for each place where a thread can stand, its outcomes. Out: for each shared part, when a step reads it and when it writes it, as terms.
The reads are those of the terms themselves. It must not know statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from formal.smt.layout import Cell, Layout
from formal.smt.outcomes import Goes, Outcome
from formal.smt.terms import Bool, Num, Value, any_of

Touch: TypeAlias = tuple[Bool, Bool]  # reads, writes


@dataclass(slots=True, eq=False)
class Touches:
    """Collects, place by place. Only for threads that do not share their code."""

    layout: Layout
    support: Support = field(init=False)
    reads: dict[Cell, list[tuple[int, Bool]]] = field(default_factory=dict)
    writes: dict[Cell, list[tuple[int, Bool]]] = field(default_factory=dict)
    moves: dict[int, list[Bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.support = Support(self.layout.cells)

    def record(self, thread: int, here: Bool, outcomes: Sequence[Outcome]) -> None:
        """A thread that moves from here has one of these outcomes; the others than going on end the execution."""
        own = set(own_cells(self.layout, thread))
        read: dict[Cell, None] = {}
        written: dict[Cell, None] = {}
        for outcome in outcomes:
            if isinstance(outcome, Goes):
                read.update(dict.fromkeys(self.support.of(outcome.condition)))
                for cell, value in outcome.state.written.items():
                    read.update(dict.fromkeys(c for c in self.support.of(value) if c is not cell))
                    written[cell] = None
        self.moves.setdefault(thread, []).append(here)
        for cell in read:
            if cell not in own:
                self.reads.setdefault(cell, []).append((thread, here))
        for cell in written:
            if cell not in own:
                self.writes.setdefault(cell, []).append((thread, here))

    def result(self) -> tuple[Touch, ...]:
        """The parts that two threads touch, one of them writing."""
        self._locations()
        found: dict[tuple[int, ...], Touch] = {}
        for cell in self.writes:
            threads = {thread for thread, _ in self.writes[cell]} | {thread for thread, _ in self.reads.get(cell, ())}
            if len(threads) > 1:
                reads = any_of([here for _, here in self.reads.get(cell, ())])
                writes = any_of([here for _, here in self.writes[cell]])
                found[_mark(reads), _mark(writes)] = (reads, writes)
        return tuple(found.values())

    def _locations(self) -> None:
        """Where somebody else looks at or changes a thread's location, each of its steps changes it too."""
        for thread, here in self.moves.items():
            pc = self.layout.threads[thread].pc
            if pc in self.reads or pc in self.writes:
                self.writes.setdefault(pc, []).append((thread, any_of(here)))


def _mark(term: Bool) -> int:
    return int(term) if isinstance(term, bool) else term.get_id()


def own_cells(layout: Layout, thread: int) -> Iterable[Cell]:
    """The cells that make up a thread."""
    cells = layout.threads[thread]
    yield cells.pc
    yield cells.level
    yield from cells.saved
    for row in (*cells.truths, *cells.numbers):
        yield from row


class Support:
    """Which cells a term speaks of."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells: Mapping[int, Cell] = {_term(cell.value).get_id(): cell for cell in cells if _term(cell.value) is not None}
        self._known: dict[int, frozenset[Cell]] = {}
        self._kept: list[Any] = []  # keeps the terms alive whose numbers are keys

    def of(self, value: Value) -> list[Cell]:
        """The cells, in order."""
        term = _term(value)
        if term is None or isinstance(term, bool):
            return []
        return sorted(self._of(term), key=lambda cell: cell.name)

    def _of(self, root: Any) -> frozenset[Cell]:
        stack = [root]
        while stack:
            term = stack[-1]
            ident = term.get_id()
            if ident in self._known:
                stack.pop()
                continue
            children = term.children()
            missing = [child for child in children if child.get_id() not in self._known]
            if missing:
                stack += missing
                continue
            own = frozenset((self._cells[ident],)) if ident in self._cells else frozenset()
            self._known[ident] = own.union(*(self._known[child.get_id()] for child in children))
            self._kept.append(term)
            stack.pop()
        return self._known[root.get_id()]


def _term(value: Value) -> Any:
    return value.term if isinstance(value, Num) else value
