"""Elements of declared arrays, and the operators that have nothing special about them.

In: cells, indices, values. Out: values and states. It must not know expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from formal.smt.layout import Cell
from formal.smt.scene import State
from formal.smt.terms import Bool, Num, Value, add, choose, equal, less, multiply, negation, number, same, select, subtract


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """An element of a declared array (or a single object): its index, and whether that is inside."""

    decl: Any
    index: Num
    defined: Bool

    def pick(self, state: State, cells: Sequence[Cell]) -> Value:
        """The element's cell's value."""
        if self.index.constant is not None:
            return state.read(cells[min(max(self.index.constant, 0), len(cells) - 1)])
        cases = [(equal(self.index, number(i)), state.read(cell)) for i, cell in enumerate(cells)]
        return select(cases[:-1], cases[-1][1])

    def put(self, state: State, cells: Sequence[Cell], value: Value) -> State:
        """The state with the element's cell changed."""
        if self.index.constant is not None:
            return state.with_value(cells[self.index.constant], value) if 0 <= self.index.constant < len(cells) else state
        for i, cell in enumerate(cells):
            state = state.with_value(cell, choose(equal(self.index, number(i)), value, state.read(cell)))
        return state


def strict(op: str, left: Value, right: Value) -> Value:
    """The value of an operator that always evaluates both sides and is always defined."""
    match op:
        case "+":
            return add(left, right)
        case "-":
            return subtract(left, right)
        case "*":
            return multiply(left, right)
        case "==":
            return same(left, right)
        case "!=":
            return negation(same(left, right))
        case "<":
            return less(left, right)
        case "<=":
            return negation(less(right, left))
        case ">":
            return less(right, left)
        case ">=":
            return negation(less(left, right))
        case _:
            raise AssertionError(op)
