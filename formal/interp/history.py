"""What an execution's steps have done to each key of the view, for explanations.

In: an execution. Out: who changed a key or a value last, who holds what, and what became of bottom halves. Must not judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from formal.interp.execution import Execution
from formal.interp.layout import State
from formal.interp.machine import Machine
from formal.program import Info
from formal.verdict import Dispatch, SourceRef, Spot, View, ViewValue

_PENDING = ".pending"
_OWNERS = (".owner", ".writer", ".readers")


class History:
    """The views of one execution, and the steps between them."""

    def __init__(self, machine: Machine, execution: Execution) -> None:
        self.execution = execution
        self.machine = machine
        self.states = execution.states
        self.names = [thread.name for thread in self.machine.program.threads]
        self.views: list[View] = [self.machine.view(state) for state in self.states]
        self.changed: list[Mapping[str, tuple[ViewValue | None, ViewValue | None]]] = [
            changed(before, after) for before, after in zip(self.views, self.views[1:], strict=False)
        ]

    # ------------------------------------------------------------ steps, from 1

    def thread(self, number: int) -> str:
        """Who took the step."""
        return self.names[self.execution.steps[number - 1].outcome.thread]

    def info(self, number: int) -> Info:
        """The statement of the step."""
        step = self.execution.steps[number - 1]
        place = self.machine.place(step.before, step.outcome.thread)
        assert place is not None, "a thread that moves stands somewhere"
        return place.info

    def changes(self, number: int) -> Mapping[str, tuple[ViewValue | None, ViewValue | None]]:
        """What the step changed, by key of the view, but for where threads stand; nothing for an error."""
        return self.changed[number - 1] if number <= len(self.changed) else {}

    def last_change(self, key: str) -> int | None:
        """The last step that changed the key; None if it is as it was in the beginning."""
        return next((number for number in range(len(self.changed), 0, -1) if key in self.changed[number - 1]), None)

    def taken(self, lock: str) -> int | None:
        """The step since which a mutex or rwlock is held, or is free, as it is at the end."""
        return max((step for suffix in _OWNERS if (step := self.last_change(lock + suffix)) is not None), default=None)

    # ------------------------------------------------------------ the state at the end

    def held(self) -> list[tuple[str, tuple[str, ...], int | None]]:
        """Locks that are held at the end, by whom, and since which step. A rwlock counts for its writer, or for its readers."""
        told: list[tuple[str, tuple[str, ...], int | None]] = []
        for key, value in self.views[-1].items():
            if key.endswith(_OWNERS[:2]) and value != "none":
                told.append((key.rpartition(".")[0], (str(value),), self.last_change(key)))
            elif key.endswith(_OWNERS[2]) and isinstance(value, tuple) and value:
                told.append((key.rpartition(".")[0], value, self.last_change(key)))
        return told

    def spot(self, state: State, thread: int) -> Spot | None:
        """Where a thread stands; None if it does not run."""
        place = self.machine.place(state, thread)
        if place is None:
            return None
        info = place.info
        return Spot(info.text, SourceRef(info.span.source.path, info.span.line), info.c_source, place.stack)

    # ------------------------------------------------------------ bottom halves

    @cached_property
    def dispatches(self) -> tuple[Dispatch, ...]:
        """Each time that a bottom half was scheduled, in order; where one is pending several times, the first is dispatched first."""
        found: list[Dispatch] = []
        for body in [key.removesuffix(_PENDING) for key in self.views[0] if key.endswith(_PENDING)]:
            scheduled: list[int] = []
            for number, changes in enumerate(self.changed, 1):
                before, after = (int(value or 0) for value in changes.get(body + _PENDING, (0, 0)))  # type: ignore[arg-type]
                scheduled += [number] * (after - before)
                if after < before:
                    found.append(Dispatch(body, scheduled.pop(0), number, self._ended(body, number)))
            found += [Dispatch(body, number, None, None) for number in scheduled]
        return tuple(sorted(found, key=lambda one: one.scheduled))

    def _ended(self, body: str, number: int) -> int | None:
        """The step at whose end a body that was entered at the end of this step is left."""
        key = f"{self.thread(number)}.stack"
        depth = _depth(self.views[number - 1], key)
        for later in range(number, len(self.views)):
            stack = self.views[later].get(key, ())
            if not isinstance(stack, tuple) or len(stack) <= depth or stack[depth] != body:
                return later
        return None

    def runs(self, thread: str) -> Dispatch | None:
        """The innermost bottom half that a thread runs at the end."""
        running = [one for one in self.dispatches if one.dispatched is not None and one.ended is None]
        mine = [one for one in running if self.thread(one.dispatched or 0) == thread]
        return max(mine, key=lambda one: one.dispatched or 0, default=None)


def _depth(view: View, key: str) -> int:
    stack = view.get(key, ())
    return len(stack) if isinstance(stack, tuple) else 0


def changed(before: View, after: View) -> dict[str, tuple[ViewValue | None, ViewValue | None]]:
    """What a step has changed, by key of the view, but for where threads stand."""
    keys = [key for key in (*before, *(key for key in after if key not in before)) if not key.endswith((".at", ".stack"))]
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}
