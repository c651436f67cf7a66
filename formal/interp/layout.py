"""Where everything lies in a state.

In: a program. Out: the slot of every object in the flat tuple that a state is, and the initial values. A state is
`(control of each thread, locals of each thread, objects…)`: control is a small number (see `control`), locals a tuple of values.
Must not know what any statement does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from formal.diagnostics import InternalError
from formal.program import (
    NONE,
    BhDecl,
    BoolType,
    CondDecl,
    ContextDecl,
    EnumType,
    EventDecl,
    IntType,
    LocalDecl,
    MutexDecl,
    Program,
    RwlockDecl,
    SemDecl,
    ThreadDecl,
    ThreadLocalDecl,
    ValueType,
    VarDecl,
)

State: TypeAlias = tuple[Any, ...]  # hashable
Locals: TypeAlias = tuple[int | bool, ...]
NOT_SPAWNED: Final = 0  # these two are controls like any other, of a thread that stands nowhere
FINISHED: Final = 1

Stored: TypeAlias = MutexDecl | RwlockDecl | SemDecl | EventDecl | CondDecl | BhDecl | VarDecl | ThreadLocalDecl
Decl: TypeAlias = Stored | ContextDecl | ThreadDecl | LocalDecl
OUTSIDE: Final = -1


class Undefined(Exception):
    """An expression or a reference has no value here: division by zero, or an index outside."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference stands for. `slot`: of a stored object its first slot; of a local its position among the thread's locals; of a
    thread its id; of a context its position in the program; OUTSIDE if there is no such element. `index`: of an element.
    `exact`: deadlock analysis takes it for itself, not for any element (its index is made of literals and the like only)."""

    decl: Decl
    index: int | None
    slot: int
    exact: bool


def default(kind: ValueType) -> int | bool:
    """What a declaration without a value starts from."""
    match kind:
        case BoolType():
            return False
        case IntType(lo=lo):
            return lo
        case EnumType():
            return 0
        case _:
            assert_never(kind)


def width(decl: Stored) -> int:
    """Slots of one object: a recursive mutex has owner and count, a rwlock writer and readers (a bit each)."""
    return 2 if isinstance(decl, RwlockDecl) or (isinstance(decl, MutexDecl) and decl.recursive) else 1


class Layout:
    """The slots of one program's states."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.threads = len(program.threads)
        self.position = {
            thread: place for members in program.families.values() for place, thread in enumerate(members)
        }  # of a thread in its family
        self._base: dict[Stored, int] = {}
        self._objects: list[int | bool] = []
        for decl in self.stored():
            self._base[decl] = 2 * self.threads + len(self._objects)
            self._objects.extend(self._initial(decl))

    def stored(self) -> Sequence[Stored]:
        """All declarations that have slots, in order of the slots."""
        program = self.program
        found: list[Stored] = [*program.mutexes, *program.rwlocks, *program.sems, *program.events, *program.conds, *program.bhs]
        return [*found, *program.variables, *program.thread_locals]

    def _initial(self, decl: Stored) -> list[int | bool]:
        size = self.size(decl)
        match decl:
            case MutexDecl():
                return ([NONE, 0] if decl.recursive else [NONE]) * size
            case RwlockDecl():
                return [NONE, 0] * size
            case SemDecl() | EventDecl():
                return [decl.initial] * size
            case CondDecl():
                return [0] * size  # no bit set: nobody waits
            case BhDecl():
                return [0] * size
            case VarDecl():
                return list(decl.initial)
            case ThreadLocalDecl():
                return [decl.initial] * size
            case _:
                assert_never(decl)

    def size(self, decl: Stored) -> int:
        """How many there are of it."""
        if isinstance(decl, ThreadLocalDecl):
            return self.threads
        return 1 if decl.size is None else decl.size

    def objects(self) -> State:
        """The initial values behind the threads' slots."""
        return tuple(self._objects)

    def locals_of(self, thread: int) -> int:
        """The slot of a thread's locals."""
        return self.threads + thread

    def base(self, decl: Stored) -> int:
        """The first slot of the first element."""
        return self._base[decl]

    def slot(self, decl: Stored, index: int) -> int:
        """The first slot of an element, or OUTSIDE."""
        if not 0 <= index < self.size(decl):
            return OUTSIDE
        return self._base[decl] + index * width(decl)

    def slots(self, decl: Stored) -> range:
        """The first slots of all elements."""
        start = self._base[decl]
        return range(start, start + self.size(decl) * width(decl), width(decl))

    def element(self, decl: Decl, index: int | None, exact: bool) -> Target:
        """The target that a declaration and an index (as written: of a variable indexed by a family, a thread) stand for."""
        match decl:
            case ContextDecl():
                return Target(decl, None, self.program.contexts.index(decl), exact)
            case ThreadDecl():
                members = self.program.families[decl.name]
                place = 0 if index is None else index
                return Target(decl, index, members[place] if 0 <= place < len(members) else OUTSIDE, exact)
            case LocalDecl():
                raise InternalError(f"local {decl.name} is no object of the state")
            case VarDecl(family=str(family)) if index is not None:
                index = self.position[index] if index in self.program.families[family] else OUTSIDE
            case _:
                pass
        return Target(decl, index, self.slot(decl, 0 if index is None else index), exact)

    def everything(self, decl: Decl) -> tuple[Target, ...]:
        """Every element, as targets."""
        match decl:
            case ContextDecl():
                return (self.element(decl, None, False),)
            case ThreadDecl():
                return tuple(Target(decl, place, thread, False) for place, thread in enumerate(self.program.families[decl.name]))
            case LocalDecl():
                raise InternalError(f"local {decl.name} has no elements")
            case _:
                return tuple(Target(decl, place, slot, False) for place, slot in enumerate(self.slots(decl)))
