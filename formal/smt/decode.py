"""Models as states that people and the interpreter can read.

In: a model and the terms of a state. Out: a `View`, key by key as `formal.verdict` fixes it. It must not know how the model was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from formal.program import BoolType, EnumType, IntType, Invoke, ValueType
from formal.smt.cfg import FINISHED, NOT_SPAWNED, Node
from formal.smt.layout import Cell, Layout, ThreadCells, element_names
from formal.smt.relation import Relation
from formal.smt.solver import Model
from formal.verdict import View, ViewValue


class Reader:
    """Reads the cells of one state."""

    def __init__(self, relation: Relation, model: Model, state: Mapping[Cell, Any]) -> None:
        self._model = model
        self._state = state
        self._names = [thread.name for thread in relation.cfg.program.threads]

    def integer(self, cell: Cell) -> int:
        if cell.lo == cell.hi:
            return cell.lo
        return self._model.integer(self._state[cell], cell.lo < 0)

    def truth(self, cell: Cell) -> bool:
        return self._model.truth(self._state[cell])

    def thread(self, cell: Cell) -> str:
        number = self.integer(cell)
        return "none" if number < 0 else self._names[number]

    def threads(self, row: tuple[Cell, ...]) -> tuple[str, ...]:
        return tuple(name for name, cell in zip(self._names, row, strict=True) if self.truth(cell))

    def typed(self, cell: Cell, type_: ValueType) -> ViewValue:
        match type_:
            case BoolType():
                return self.truth(cell)
            case IntType():
                return self.integer(cell)
            case EnumType():
                return type_.members[self.integer(cell)]


def decode(relation: Relation, model: Model, state: Mapping[Cell, Any]) -> View:
    """The state that the model gives to these cells."""
    reader = Reader(relation, model, state)
    view: dict[str, ViewValue] = {}
    _objects(relation.layout, reader, view)
    _variables(relation, reader, view)
    for ident, cells in enumerate(relation.layout.threads):
        _thread(relation, reader, ident, cells, view)
    return view


def _objects(layout: Layout, reader: Reader, view: dict[str, ViewValue]) -> None:
    for mutex, cells in layout.owner.items():
        for i, name in enumerate(element_names(mutex)):
            view[f"{name}.owner"] = reader.thread(cells[i])
            if mutex.recursive:
                view[f"{name}.count"] = reader.integer(layout.count[mutex][i])
    for rwlock, cells in layout.writer.items():
        for i, name in enumerate(element_names(rwlock)):
            view[f"{name}.writer"] = reader.thread(cells[i])
            view[f"{name}.readers"] = reader.threads(layout.readers[rwlock][i])
    for sem, cells in layout.sems.items():
        view.update((f"{name}.count", reader.integer(cell)) for name, cell in zip(element_names(sem), cells, strict=True))
    for event, cells in layout.events.items():
        view.update((f"{name}.set", reader.truth(cell)) for name, cell in zip(element_names(event), cells, strict=True))
    for cond, rows in layout.waiters.items():
        view.update((f"{name}.waiters", reader.threads(row)) for name, row in zip(element_names(cond), rows, strict=True))
    for bh, cells in layout.pending.items():
        read = reader.integer if bh.oneshot else reader.truth
        view.update((f"{name}.pending", read(cell)) for name, cell in zip(element_names(bh), cells, strict=True))


def _variables(relation: Relation, reader: Reader, view: dict[str, ViewValue]) -> None:
    program = relation.cfg.program
    for decl, cells in relation.layout.variables.items():
        names = element_names(decl)
        if decl.family is not None:
            names = [f"{decl.name}[{program.threads[ident].name}]" for ident in program.families[decl.family]]
        view.update((name, reader.typed(cell, decl.type)) for name, cell in zip(names, cells, strict=True))
    for local, cells in relation.layout.thread_locals.items():
        for thread, cell in zip(program.threads, cells, strict=True):
            view[f"{thread.name}.{local.name}"] = reader.typed(cell, local.type)


def _thread(relation: Relation, reader: Reader, ident: int, cells: ThreadCells, view: dict[str, ViewValue]) -> None:
    name = relation.cfg.program.threads[ident].name
    location = reader.integer(cells.pc)
    special = {NOT_SPAWNED: "not spawned", FINISHED: "finished"}
    view[f"{name}.status"] = special.get(location, "running")
    if location in special:
        return
    level = reader.integer(cells.level)
    places = [relation.cfg.nodes[reader.integer(cell)] for cell in cells.saved[:level]] + [relation.cfg.nodes[location]]
    view[f"{name}.at"] = f"{places[-1].info.uid} {phase_shown(places[-1])}"
    stack: list[str] = []
    for depth, node in enumerate(places):
        _locals(reader, cells, depth, node, f"{name}/", len(stack), view)
        stack += [root_name(node, name), *node.site.frames]
    view[f"{name}.stack"] = tuple(stack)


def phase_shown(node: Node) -> str:
    """The phase as views name it: an `invoke` has one place to stand."""
    return "run" if isinstance(node.stmt, Invoke) else node.phase


def root_name(node: Node, thread: str) -> str:
    """The outermost frame of a node, run by this thread."""
    root = node.site.root
    if root.is_thread:
        return thread
    return root.decl.name if root.index is None else f"{root.decl.name}[{root.index}]"


def _locals(reader: Reader, cells: ThreadCells, depth: int, node: Node, mark: str, below: int, view: dict[str, ViewValue]) -> None:
    for shown in node.site.visible:
        slot = shown.slot
        cell = (cells.truths if slot.truth else cells.numbers)[depth][slot.number]
        view[f"{mark}{below + shown.position}.{shown.name}"] = reader.typed(cell, slot.type)  # type: ignore[arg-type]
