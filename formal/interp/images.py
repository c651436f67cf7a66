"""Where a thread stands, with the elements of one sort exchanged.

In: the control stacks of a program, a sort. Out: the elements that a stack names, and its image under a permutation of them. Must not know
states.

A `for` that goes through the sort keeps its place: only permutations are asked for that leave the element alone that it has come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from formal.diagnostics import InternalError
from formal.interp.control import Controls, Node
from formal.interp.environment import Env
from formal.interp.items import At, Each, Frame, Guard, Item
from formal.interp.layout import OUTSIDE, Layout, Target
from formal.interp.sorts import Sort
from formal.program import NONE, BhDecl, ProcDecl, ThreadDecl, ThreadLocalDecl


class Images:
    """Of the controls of one program under permutations of one sort: `order[i]` is where element i goes."""

    def __init__(self, layout: Layout, controls: Controls, sort: Sort) -> None:
        self._layout = layout
        self._controls = controls
        self._sort = sort
        self._arrays = frozenset((*sort.arrays, *sort.families))
        threads = layout.program.threads
        self.element = [layout.position[thread.id] if thread.decl in sort.families else OUTSIDE for thread in threads]
        owners: tuple[BhDecl | ThreadDecl, ...] = (*layout.program.bhs, *(thread.decl for thread in threads))
        self._binders = {decl.binder for decl in owners if decl.binder is not None and decl in self._arrays}
        self._refs: dict[int, tuple[int, ...]] = {}
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}

    # ------------------------------------------------------------ what a stack names

    def named(self, control: int) -> tuple[int, ...]:
        """The elements that a stack names, each once, its own thread's first."""
        found = self._refs.get(control)
        if found is None:
            nodes = list(self._stack(self._controls.nodes[control]))
            found = self._refs[control] = tuple(dict.fromkeys(i for node in reversed(nodes) for i in self._named(node.item)))
        return found

    def passes(self, control: int) -> Mapping[int, Each]:
        """The passes through the sort that a stack is in, by the numbers of their nodes."""
        nodes = self._stack(self._controls.nodes[control])
        return {node.id: node.item for node in nodes if isinstance(node.item, Each) and node.item.stmt in self._sort.ordered}

    def place(self, each: Each) -> tuple[list[int], int | None, list[int]]:
        """The elements that a `for` is through with, the one that it has come to, and those that are left."""
        elements = [i if each.stmt.binder in self._sort.binders else self.element[i] for i in each.stmt.domain]
        now = elements[each.place]
        return [i for i in elements[: each.place] if i != OUTSIDE], now, [i for i in elements[each.place + 1 :] if i != OUTSIDE]

    def _stack(self, node: Node | None) -> Iterator[Node]:
        while node is not None:
            yield node
            node = node.below

    def _named(self, item: Item) -> Iterator[int]:
        match item:
            case Frame(decl=ThreadDecl(), index=int(thread)):
                found = [self.element[thread]]
            case Frame(decl=BhDecl() as decl, index=int(index)):
                found = [index if decl in self._arrays else OUTSIDE]
            case Frame(arguments=arguments):
                found = [self._of(target) for _, target in arguments]
            case Guard(lock=lock):
                found = [self._of(lock)]
            case At(targets=targets):
                found = [self._of(target) for target in targets]
            case _:
                found = []
        return (i for i in found if i != OUTSIDE)

    def _of(self, target: Target) -> int:
        """The element that a target is, or is part of."""
        if target.slot == OUTSIDE or target.index is None:
            return OUTSIDE
        if isinstance(target.decl, ThreadLocalDecl):
            return self.element[target.index]
        return target.index if target.decl in self._arrays else OUTSIDE

    # ------------------------------------------------------------ images

    def threads(self, order: Sequence[int]) -> list[int]:
        """Where each thread goes."""
        members = self._layout.program.families
        return [
            t.id if self.element[t.id] == OUTSIDE else members[t.decl.name][order[self.element[t.id]]] for t in self._layout.program.threads
        ]

    def image(self, control: int, order: Sequence[int]) -> int:
        """The stack with these elements exchanged."""
        named = self.named(control)
        to = tuple([order[i] for i in named])
        if to == named:
            return control
        found = self._known.get((control, to))
        if found is None:
            node = self._controls.nodes[control]
            if node is None:
                raise InternalError("who stands nowhere names no element")
            found = self._known[control, to] = self._node(node, order, self.threads(order)).id
        return found

    def _node(self, node: Node, order: Sequence[int], threads: Sequence[int]) -> Node:
        below = None
        for here in reversed(list(self._stack(node))):
            item = self._item(here.item, order, threads)
            below = self._controls.node(item, below, self._env(here.env, item, below, order, threads))
        assert below is not None
        return below

    def _item(self, item: Item, order: Sequence[int], threads: Sequence[int]) -> Item:
        match item:
            case Frame(decl=ThreadDecl(), index=int(thread)):
                return replace(item, index=threads[thread])
            case Frame(decl=BhDecl() as decl, index=int(index)) if decl in self._arrays:
                return replace(item, index=order[index])
            case Frame(arguments=arguments):
                return replace(item, arguments=tuple((param, self._target(target, order, threads)) for param, target in arguments))
            case Guard(lock=lock):
                return replace(item, lock=self._target(lock, order, threads))
            case At(targets=targets):
                return replace(item, targets=tuple(self._target(target, order, threads) for target in targets))
            case _:
                return item

    def _target(self, target: Target, order: Sequence[int], threads: Sequence[int]) -> Target:
        place = self._of(target)
        if place == OUTSIDE or target.index is None:
            return target
        match target.decl:
            case ThreadLocalDecl() as decl:
                index = threads[target.index]
                return replace(target, index=index, slot=self._layout.slot(decl, index))
            case ThreadDecl():
                return replace(target, index=order[place], slot=threads[target.slot])
            case decl:
                return replace(target, index=order[place], slot=self._layout.slot(decl, order[place]))  # type: ignore[arg-type]

    def _env(self, env: Env, item: Item, below: Node | None, order: Sequence[int], threads: Sequence[int]) -> Env:
        frames = () if below is None else below.env.frames
        return replace(
            env,
            thread=NONE if env.thread == NONE else threads[env.thread],
            binders={binder: order[value] if binder in self._binders else value for binder, value in env.binders.items()},
            refs={param: self._target(target, order, threads) for param, target in env.refs.items()},
            frames=(*frames, self._frame(item)) if isinstance(item, Frame) else frames,
        )

    def _frame(self, frame: Frame) -> str:
        match frame.decl:
            case ThreadDecl() if frame.index is not None:
                return self._layout.program.threads[frame.index].name
            case BhDecl(name=name, size=size):
                return name if size is None else f"{name}[{frame.index}]"
            case ProcDecl(name=name):
                return name
            case _:
                raise InternalError("no such frame")
