"""A state as everybody sees it: flat, by name.

In: states. Out: `View`s with exactly the keys that `verdict.py` lists. Must not know steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from formal.interp.control import Controls, Node
from formal.interp.expressions import thread_set
from formal.interp.items import At, Called, Frame, info_of
from formal.interp.layout import FINISHED, NOT_SPAWNED, Layout, State, Stored, Target
from formal.program import (
    NONE,
    BhDecl,
    BoolType,
    CondDecl,
    ContextDecl,
    EnumType,
    EventDecl,
    IntType,
    Invoke,
    LocalDecl,
    MutexDecl,
    RwlockDecl,
    SemDecl,
    ThreadDecl,
    ThreadLocalDecl,
    ValueType,
    VarDecl,
)
from formal.verdict import View, ViewValue


def phase_of(at: At) -> str:
    """The phase as views name it: an `invoke` has one place to stand."""
    return "run" if at.remaining else at.phase


class Views:
    """The views of one program."""

    def __init__(self, layout: Layout, controls: Controls) -> None:
        self._layout = layout
        self._program = layout.program
        self._controls = controls
        self._names = [thread.name for thread in self._program.threads]
        self._shows = [show for decl in layout.stored() for show in self._show(decl)]

    def readers(self) -> list[tuple[str, Callable[[State], ViewValue]]]:
        """The keys that every view has, where threads stand left out, and how each is read from a state."""
        return list(self._shows)

    def of(self, state: State) -> View:
        """The view of a state."""
        view = {key: show(state) for key, show in self._shows}
        for thread, name in enumerate(self._names):
            view[f"{name}.status"] = self.status(state, thread)
            node = self._controls.nodes[state[thread]]
            if node is not None:
                view.update(self._running(node, state, thread, name))
        return view

    def status(self, state: State, thread: int) -> str:
        """Whether the thread runs."""
        return {NOT_SPAWNED: "not spawned", FINISHED: "finished"}.get(state[thread], "running")

    def _running(self, node: Node, state: State, thread: int, name: str) -> Iterator[tuple[str, ViewValue]]:
        if isinstance(node.item, At):
            yield f"{name}.at", f"{info_of(node.item.stmt).uid} {phase_of(node.item)}"
        yield f"{name}.stack", node.env.frames
        for slot, value in zip(node.env.layout, state[self._layout.locals_of(thread)], strict=True):
            if slot.name is not None:
                yield f"{name}/{slot.frame}.{slot.name}", show_value(slot.type, value)

    def hidden(self, state: State, thread: int) -> dict[str, int]:
        """What a thread carries along that views leave out, by frame and name: indices that were evaluated at a call (of the parameter),
        results, and which callbacks of an `invoke any` have been called."""
        node = self._controls.nodes[state[thread]]
        if node is None:
            return {}
        values = zip(node.env.layout, state[self._layout.locals_of(thread)], strict=True)
        found = {f"{slot.frame}.result": int(value) for slot, value in values if slot.name is None}
        while node is not None:
            frame = len(node.env.frames) - 1
            match node.item:
                case Frame(arguments=arguments):
                    for param, target in arguments:
                        if target.index is not None:
                            found.setdefault(f"{frame}.{param.name}", target.index)
                case At(stmt=Invoke(hook=hook), remaining=remaining) | Called(stmt=Invoke(hook=hook), remaining=remaining):
                    for name in self._program.hooks.get(hook, ()):
                        found.setdefault(f"{frame}.{name}", int(name not in remaining))
                case _:
                    pass
            node = node.below
        return found

    def name(self, decl: Stored, index: int) -> str:
        """An element's name, as views and messages write it."""
        if isinstance(decl, ThreadLocalDecl):
            return f"{self._names[index]}.{decl.name}"
        if decl.size is None:
            return decl.name
        if isinstance(decl, VarDecl) and decl.family is not None:
            return f"{decl.name}[{self._names[self._program.families[decl.family][index]]}]"
        return f"{decl.name}[{index}]"

    def name_of(self, target: Target) -> str:
        """The name of what a reference stands for."""
        match target.decl:
            case ThreadDecl():
                return self._names[target.slot]
            case ContextDecl() | LocalDecl():
                return target.decl.name
            case _:
                return self.name(target.decl, target.index or 0)

    def _show(self, decl: Stored) -> Iterator[tuple[str, Callable[[State], ViewValue]]]:
        for index, slot in enumerate(self._layout.slots(decl)):
            yield from self._show_element(decl, self.name(decl, index), slot)

    def _show_element(self, decl: Stored, name: str, slot: int) -> Iterator[tuple[str, Callable[[State], ViewValue]]]:
        match decl:
            case MutexDecl(recursive=recursive):
                yield f"{name}.owner", lambda state: self._thread(state[slot])
                if recursive:
                    yield f"{name}.count", lambda state: int(state[slot + 1])
            case RwlockDecl():
                yield f"{name}.writer", lambda state: self._thread(state[slot])
                yield f"{name}.readers", lambda state: self._threads(state[slot + 1])
            case SemDecl():
                yield f"{name}.count", lambda state: int(state[slot])
            case EventDecl():
                yield f"{name}.set", lambda state: bool(state[slot])
            case CondDecl():
                yield f"{name}.waiters", lambda state: self._threads(state[slot])
            case BhDecl(oneshot=oneshot):
                yield f"{name}.pending", (lambda state: int(state[slot])) if oneshot else (lambda state: bool(state[slot]))
            case VarDecl(type=kind) | ThreadLocalDecl(type=kind):
                yield name, lambda state: show_value(kind, state[slot])
            case _:
                assert_never(decl)

    def _thread(self, thread: int) -> str:
        return "none" if thread == NONE else self._names[thread]

    def _threads(self, bits: int) -> tuple[str, ...]:
        return tuple(self._names[thread] for thread in sorted(thread_set(bits)))


def show_value(kind: ValueType, value: int) -> bool | int | str:
    """A value of a type, as views write it."""
    match kind:
        case BoolType():
            return bool(value)
        case IntType():
            return int(value)
        case EnumType(members=members):
            return members[value]
        case _:
            assert_never(kind)
