"""The parts that actions are made of: from a change of the state to the outcomes of a step.

In: changes, jumps, references. Out: `Run`s, functions from a state to the outcomes of one thread's step. Must not know statements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from formal.interp.changes import Change, Stop, Stops
from formal.interp.control import Controls, Jump, Node
from formal.interp.environment import Env
from formal.interp.expressions import Expressions
from formal.interp.items import Mode
from formal.interp.layout import Layout, State, Target, Undefined
from formal.program import RANGE, BoolType, EnumType, IntType, Place, ValueType

Choice: TypeAlias = tuple[str, ...]
Result: TypeAlias = "tuple[Choice, State | Stop]"
Run: TypeAlias = Callable[[State], Sequence[Result]]
Land: TypeAlias = Callable[[list[Any]], State]
WAITS: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """The step of one node. `changes`: whether an `atomic` that has executed it has changed something. `tests`: whether it is a `while`."""

    run: Run
    changes: bool
    tests: bool


class Parts:
    """What the actions of one program are put together from."""

    def __init__(self, layout: Layout, controls: Controls, expressions: Expressions, stop: Stops) -> None:
        self.layout = layout
        self.program = layout.program
        self.controls = controls
        self.expressions = expressions
        self.stop = stop
        self.range = stop(RANGE)

    def land(self, thread: int, jump: Jump, depth: int) -> Land:
        """Puts a thread that has `depth` locals where the jump goes."""
        control, keep, padding = jump.control, jump.keep, jump.padding
        slot = self.layout.locals_of(thread)

        def land(new: list[Any]) -> State:
            new[thread] = control
            return tuple(new)

        def land_with_locals(new: list[Any]) -> State:
            new[thread] = control
            new[slot] = new[slot][:keep] + padding
            return tuple(new)

        return land if keep >= depth and not padding else land_with_locals

    def go_on(self, node: Node, mode: Mode = "next", depth: int | None = None) -> Land:
        """To what comes behind the statement; the step leaves `depth` locals (as many as there are before it)."""
        return self.land(node.env.thread, self.controls.resume(node.below, mode), node.env.depth if depth is None else depth)

    def go_to(self, node: Node, to: Node, depth: int | None = None) -> Land:
        """To another place."""
        return self.land(node.env.thread, self.controls.resume(to), node.env.depth if depth is None else depth)

    def deterministic(self, change: Change, land: Land) -> Run:
        """One outcome, or none where the thread has to wait."""
        undefined: Sequence[Result] = (((), self.range),)

        def run(state: State) -> Sequence[Result]:
            try:
                new = change(state)
            except Undefined:
                return undefined
            if new.__class__ is list:
                return (((), land(new)),)
            return WAITS if new is None else (((), new),)  # type: ignore[return-value]

        return run

    def for_target(self, place: Place, env: Env, make: Callable[[Target], Run]) -> Run:
        """The action on whatever the reference stands for; made once for each."""
        target = self.expressions.references.fixed(place, env)
        if target is not None and target.slot >= 0:
            return make(target)
        locate = self.expressions.references.locate(place, env)
        made: dict[Target, Run] = {}
        undefined: Sequence[Result] = (((), self.range),)

        def run(state: State) -> Sequence[Result]:
            try:
                found = locate(state)
            except Undefined:
                return undefined
            action = made.get(found)
            if action is None:
                action = made[found] = make(found)
            return action(state)

        return run


def fits(kind: ValueType) -> Callable[[int], bool]:
    """Whether a value of the right sort lies in the type."""
    match kind:
        case IntType(lo=lo, hi=hi):
            return lambda value: lo <= value <= hi
        case BoolType() | EnumType():
            return lambda _: True
