"""The parts of a state by name, and their values by name: what invariants are written in.

In: a relation. Out: `Part`s, one a cell, with names as witnesses have them (`BQL.owner`, `vcpu[0].at`) and the names of all the values that
the part can have. A place where a thread can stand is named by body and line: `bdrv_poll_co:127`, or `bdrv_poll_co:127#2` for the second
of several with the same. It must not know what invariants are for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from formal.invariant import FALSE, TRUE
from formal.program import BoolType, EnumType, ValueType
from formal.smt.bodies import is_poll
from formal.smt.cfg import FINISHED, FIRST, NOT_SPAWNED, Body, Cfg
from formal.smt.decode import phase_shown
from formal.smt.layout import Cell, Staged, ThreadCells, element_names

NOBODY: Final = "none"


class UnknownName(Exception):
    """An invariant speaks of a part, or of a value, that the program does not have; its text says which."""


@dataclass(frozen=True, eq=False)
class Part:
    """A cell by name. `values` are those that it can have at all, in order, `domain` their names. `register`: level and number, of a
    register, whose meaning depends on where its thread is."""

    name: str
    cell: Cell
    values: tuple[int, ...]
    domain: tuple[str, ...]
    register: tuple[int, int] | None = None

    @cached_property
    def number_of(self) -> Mapping[str, int]:
        """Values by name."""
        return dict(zip(self.domain, self.values, strict=True))


class Parts:
    """All parts of a program's states, in the order of the cells, and by name."""

    def __init__(self, relation: Staged) -> None:
        self.relation = relation
        self._threads = [thread.name for thread in relation.cfg.program.threads]
        self.places: tuple[str, ...] = _place_names(relation.cfg)
        found = {id(part.cell): part for part in self._all()}
        self.all = tuple(found[id(cell)] for cell in relation.layout.cells)

    @cached_property
    def by_name(self) -> Mapping[str, Part]:
        return {part.name: part for part in self.all}

    def read(self, name: str, values: Collection[str]) -> tuple[Part, frozenset[int]]:
        """A part, and some values of it, by their names. Raises UnknownName."""
        part = self.by_name.get(name)
        if part is None:
            raise UnknownName(f"there is no `{name}` in this model")
        for value in values:
            if value not in part.number_of:
                raise UnknownName(f"`{name}` is never `{value}`")
        return part, frozenset(part.number_of[value] for value in values)

    def _all(self) -> Iterator[Part]:
        yield from self._locks()
        yield from self._signals()
        yield from self._variables()
        layout = self.relation.layout
        for thread, own, bodies in zip(self._threads, layout.threads, layout.reachable, strict=True):
            yield from self._thread(thread, own, bodies)

    def _locks(self) -> Iterator[Part]:
        layout, owners = self.relation.layout, (NOBODY, *self._threads)
        for mutex, cells in layout.owner.items():
            for name, cell in zip(element_names(mutex), cells, strict=True):
                yield self._named(f"{name}.owner", cell, owners)
            for name, cell in zip(element_names(mutex), layout.count.get(mutex, ()), strict=False):
                yield self._number(f"{name}.count", cell)
        for rwlock, cells in layout.writer.items():
            for name, cell, row in zip(element_names(rwlock), cells, layout.readers[rwlock], strict=True):
                yield self._named(f"{name}.writer", cell, owners)
                yield from self._each_thread(f"{name}.reader", row)

    def _signals(self) -> Iterator[Part]:
        layout = self.relation.layout
        for cond, rows in layout.waiters.items():
            for name, row in zip(element_names(cond), rows, strict=True):
                yield from self._each_thread(f"{name}.waiter", row)
        for kind, mark in ((layout.sems, ".count"), (layout.events, ".set"), (layout.pending, ".pending")):
            for decl, cells in kind.items():
                for name, cell in zip(element_names(decl), cells, strict=True):
                    yield self._truth(name + mark, cell) if cell.truth else self._number(name + mark, cell)

    def _each_thread(self, name: str, cells: Sequence[Cell]) -> Iterator[Part]:
        for thread, cell in zip(self._threads, cells, strict=True):
            yield self._truth(f"{name}.{thread}", cell)

    def _variables(self) -> Iterator[Part]:
        layout, program = self.relation.layout, self.relation.cfg.program
        for variable, cells in layout.variables.items():
            names = element_names(variable)
            if variable.family is not None:
                names = [f"{variable.name}[{self._threads[ident]}]" for ident in program.families[variable.family]]
            for name, cell in zip(names, cells, strict=True):
                yield self._typed(name, cell, variable.type)
        for local, cells in layout.thread_locals.items():
            for thread, cell in zip(self._threads, cells, strict=True):
                yield self._typed(f"{thread}.{local.name}", cell, local.type)

    def _thread(self, name: str, cells: ThreadCells, bodies: Sequence[Body]) -> Iterator[Part]:
        nodes = sorted({node.id for body in bodies for node in body.nodes if not node.inner})
        polls = [number for number in nodes if is_poll(self.relation.cfg.nodes[number])]
        yield self._at(f"{name}.at", cells.pc, [NOT_SPAWNED, FINISHED, *nodes])
        yield self._number(f"{name}/nested", cells.level)
        for level, cell in enumerate(cells.saved, 1):
            yield self._at(f"{name}/polls{level}", cell, [NOT_SPAWNED, *polls])
        for level, (truths, numbers) in enumerate(zip(cells.truths, cells.numbers, strict=True)):
            for i, cell in enumerate(truths):
                yield self._named(f"{name}/flag{level}.{i}", cell, (FALSE, TRUE), (level, i))
            for i, cell in enumerate(numbers):
                yield self._number(f"{name}/local{level}.{i}", cell, (level, i))

    def _at(self, name: str, cell: Cell, numbers: Sequence[int]) -> Part:
        return Part(name, cell, tuple(numbers), tuple(self.places[number] for number in numbers))

    @staticmethod
    def _named(name: str, cell: Cell, domain: tuple[str, ...], register: tuple[int, int] | None = None) -> Part:
        return Part(name, cell, tuple(range(cell.lo, cell.hi + 1)), domain, register)

    def _truth(self, name: str, cell: Cell) -> Part:
        return self._named(name, cell, (FALSE, TRUE))

    def _number(self, name: str, cell: Cell, register: tuple[int, int] | None = None) -> Part:
        return self._named(name, cell, tuple(map(str, range(cell.lo, cell.hi + 1))), register)

    def _typed(self, name: str, cell: Cell, kind: ValueType) -> Part:
        match kind:
            case BoolType():
                return self._truth(name, cell)
            case EnumType():
                return self._named(name, cell, kind.members)
            case _:
                return self._number(name, cell)


def _place_names(cfg: Cfg) -> tuple[str, ...]:
    names = {NOT_SPAWNED: "not_spawned", FINISHED: "finished"}
    counts: dict[str, int] = {}
    for number in range(FIRST, cfg.locations):
        node = cfg.nodes[number]
        phase = "" if phase_shown(node) == "run" else f".{node.phase}"
        name = f"{node.info.body}:{node.info.span.line}{phase}"
        counts[name] = counts.get(name, 0) + 1
        names[number] = name if counts[name] == 1 else f"{name}#{counts[name]}"
    return tuple(names[number] for number in range(cfg.locations))
