"""Statements that need not be counted on: where a switch is off, a test may go either way, a wait may be passed by, an assumption or
assertion may not hold.

In: the outcomes of a statement, and a switch for each statement that has one. Out: outcomes. With all switches on they are the same; with
one off there are more, and none is lost: those of the program in which the statement is left out (`formal.vacuity.units`) are among them.
They are exclusive for each value of the inputs made here. It must not know who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeAlias

import z3

from formal.program import AioWaitWhile, Assert, If, WaitCond, While
from formal.smt.cfg import Node
from formal.smt.layout import Layout
from formal.smt.outcomes import Goes, Outcome
from formal.smt.scene import State
from formal.smt.terms import Bool, both, negation

Numbers: TypeAlias = "count[int]"


@dataclass(frozen=True, slots=True, eq=False)
class Loosening:
    """`switches`: by the uid of a statement, whether it counts."""

    switches: Mapping[int, Bool]
    _numbers: Numbers = field(default_factory=count)

    def __call__(self, layout: Layout, node: Node, state: State, outcomes: list[Outcome]) -> list[Outcome]:
        """What a node may do, whether its statement counts or not."""
        switch = self.switches.get(node.info.uid)
        if switch is None:
            return outcomes
        over = both(negation(switch), self._input())
        kept = [replace(one, condition=both(one.condition, negation(over))) for one in outcomes]
        match node.stmt:
            case If() | While() | AioWaitWhile() if len(node.targets) > 1:
                way = self._input()
                then, otherwise = node.targets
                return [*kept, Goes(both(over, way), state, then, False), Goes(both(over, negation(way)), state, otherwise, False)]
            case Assert():
                counted = [replace(one, condition=both(one.condition, switch)) for one in outcomes]
                return [*counted, Goes(negation(switch), state, node.targets[0], False)]
            case WaitCond():
                return [*kept, *(_unmarked(layout, over, one, state) for one in outcomes if isinstance(one, Goes))]
            case _:
                return [*kept, Goes(over, state, node.targets[0], False)]

    def _input(self) -> Any:
        """Anything at all, each time."""
        return z3.Bool(f"either way {next(self._numbers)}")


def _unmarked(layout: Layout, over: Bool, one: Goes, before: State) -> Outcome:
    """The lock given back, or taken again, by one who does not wait for a signal."""
    marks = {cell for rows in layout.waiters.values() for row in rows for cell in row}
    written = {cell: value for cell, value in one.state.written.items() if cell not in marks}
    written |= {cell: value for cell, value in before.written.items() if cell in marks}
    return Goes(both(over, one.condition), State(written), one.target, True)
