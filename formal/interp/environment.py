"""What the names of a statement stand for at one place in one thread.

In: nothing. Out: `Env`, immutable. All of it is fixed where a thread stands; only the values of locals lie in the state. Must not know
statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from formal.interp.layout import Target, default
from formal.program import NONE, Binder, LocalDecl, RefParam, ThreadInstance, ValueType


@dataclass(frozen=True, slots=True)
class LocalSlot:
    """One position among a thread's locals. `name` is None for a result, which no view shows; `frame` counts from the thread's body."""

    frame: int
    name: str | None
    type: ValueType


@dataclass(frozen=True, slots=True)
class Env:
    """`thread` is self (NONE where nobody asks). `slots` and `refs` are those of the innermost frame, `result` is where its result lies.
    `layout` says what the locals of all frames are, outermost first. `nested` counts bottom halves, `calls` lists active procedures."""

    thread: int
    binders: Mapping[Binder, int] = field(default_factory=dict)
    slots: Mapping[LocalDecl, int] = field(default_factory=dict)
    refs: Mapping[RefParam, Target] = field(default_factory=dict)
    result: int | None = None
    layout: tuple[LocalSlot, ...] = ()
    frames: tuple[str, ...] = ()
    nested: int = 0
    calls: tuple[str, ...] = ()
    atomic: bool = False

    @property
    def depth(self) -> int:
        """How many locals there are."""
        return len(self.layout)

    def bind(self, binder: Binder, value: int) -> Env:
        """With a quantifier's, a `for`'s or a family's variable set."""
        return replace(self, binders={**self.binders, binder: value})

    def declare(self, local: LocalDecl) -> Env:
        """With one more local."""
        slot = LocalSlot(len(self.frames) - 1, local.name, local.type)
        return replace(self, slots={**self.slots, local: self.depth}, layout=(*self.layout, slot))

    def reserve(self, kind: ValueType) -> Env:
        """With one more value that has no name: a result."""
        return replace(self, layout=(*self.layout, LocalSlot(len(self.frames) - 1, None, kind)))

    def enter(self, name: str) -> Env:
        """A new innermost frame with no names yet."""
        return Env(self.thread, layout=self.layout, frames=(*self.frames, name), nested=self.nested, calls=self.calls, atomic=self.atomic)

    def padding(self, start: int) -> tuple[int | bool, ...]:
        """The values that locals from `start` on have when control runs into their scope without a step."""
        return tuple(default(slot.type) for slot in self.layout[start:])


def thread_env(thread: ThreadInstance) -> Env:
    """The outermost frame of a thread."""
    env = Env(thread.id).enter(thread.name)
    if thread.decl.binder is not None and thread.index is not None:
        env = env.bind(thread.decl.binder, thread.index)
    return env


NOBODY = Env(NONE)
