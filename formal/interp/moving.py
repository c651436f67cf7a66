"""Where a thread stands, with the elements of one sort exchanged, and a `for` that goes through them brought along.

In: the control stacks of a program, a sort whose `for` statements go through all of it. Out: as of `images`, where an element that some
`for` has come to may be moved as well: the place of the `for` is then where that element goes. Must not know states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from formal.interp.control import Controls, Node
from formal.interp.environment import Env
from formal.interp.images import Images
from formal.interp.items import At, Each, Item
from formal.interp.layout import Layout
from formal.interp.sorts import Sort
from formal.program import Atomic, For, ThreadType


class Pass(NamedTuple):
    """A `for` in progress: which one, what it stands on, and how far it has come."""

    stmt: For
    below: int
    place: int


class Moving(Images):
    """Of the controls of one program under permutations of one sort: `order[i]` is where element i goes."""

    def __init__(self, layout: Layout, controls: Controls, sort: Sort) -> None:
        super().__init__(layout, controls, sort)
        self._through = {stmt.binder: isinstance(stmt.binder.type, ThreadType) for stmt in sort.ordered}
        self._passes: dict[int, tuple[Pass, ...]] = {}

    def in_progress(self, control: int) -> tuple[Pass, ...]:
        """Every `for` that a stack is in, the innermost first."""
        found = self._passes.get(control)
        if found is None:
            nodes = self._stack(self._controls.nodes[control])
            on = [(node.item, -1 if node.below is None else node.below.id) for node in nodes]
            found = tuple(Pass(each.stmt, below, each.place) for each, below in on if isinstance(each, Each) and self._goes_through(each))
            self._passes[control] = found
        return found

    def is_atomic(self, control: int) -> bool:
        """Whether the thread stands at an `atomic`."""
        node = self._controls.nodes[control]
        return node is not None and isinstance(node.item, At) and isinstance(node.item.stmt, Atomic)

    def named(self, control: int) -> tuple[int, ...]:
        """The elements that a stack names, and those that its `for`s have come to."""
        found = self._refs.get(control)
        if found is None:
            found = super().named(control)
            found = self._refs[control] = tuple(dict.fromkeys((*found, *(one.place for one in self.in_progress(control)))))
        return found

    def _goes_through(self, each: Each) -> bool:
        return each.stmt in self._sort.ordered

    def _item(self, item: Item, order: Sequence[int], threads: Sequence[int]) -> Item:
        if isinstance(item, Each) and self._goes_through(item):
            return replace(item, place=order[item.place])
        return super()._item(item, order, threads)

    def _env(self, env: Env, item: Item, below: Node | None, order: Sequence[int], threads: Sequence[int]) -> Env:
        found = super()._env(env, item, below, order, threads)
        if self._through.keys().isdisjoint(found.binders):
            return found
        moved = {
            binder: value if binder not in self._through else threads[value] if self._through[binder] else order[value]
            for binder, value in found.binders.items()
        }
        return replace(found, binders=moved)
