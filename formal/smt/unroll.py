"""Executions as terms: copies of the transition relation, one a step.

In: a relation. Out: for each step its constraints, and for each state the value of every cell. The relation is copied by substitution, all
its terms at once; a cell that is known to hold one value, or to keep the one it had, gets no constant of its own. It must not know solvers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from formal.smt.distances import Distances
from formal.smt.layout import Cell
from formal.smt.relation import Relation
from formal.smt.terms import Bool, Num, Value, as_term, widen, width

SIMPLIFIED_STEPS = 4  # from the initial state on, where much is known


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step: its own input constants, whether it ends in a next state, what it violates, and the definitions of the state after it."""

    inputs: tuple[Any, ...]
    going: Any
    failing: Mapping[str, Any]
    definitions: tuple[Any, ...]


def cell_term(cell: Cell, value: Value) -> Any:
    """A value as a term of the cell's sort."""
    return widen(value, width(cell.lo, cell.hi)) if isinstance(value, Num) else as_term(value)


def constant(cell: Cell, value: int) -> Any:
    """A cell's value as a term of its sort."""
    return z3.BoolVal(bool(value)) if cell.truth else z3.BitVecVal(value, width(cell.lo, cell.hi))


class Bundle:
    """Terms that are copied together, in one substitution."""

    def __init__(self, terms: Sequence[Bool]) -> None:
        self.size = len(terms)
        terms = [as_term(term) for term in terms]
        pack = z3.Function("bundle", *[term.sort() for term in terms], z3.BoolSort())
        self.term = pack(*terms) if terms else None

    def copy(self, pairs: Sequence[tuple[Any, Any]], simplify: bool) -> list[Any]:
        """The terms with constants replaced."""
        if self.term is None:
            return []
        term = z3.substitute(self.term, *pairs)
        if simplify:
            term = z3.simplify(term)
        return [term.arg(i) for i in range(self.size)]


class Unrolling:
    """An execution of growing length from the initial state. `states[k]` has the term of every cell after k steps. `distances`: how soon
    threads can be where; steps are built without what asks for places that it is too soon for."""

    def __init__(self, relation: Relation, distances: Distances | None = None) -> None:
        self.relation = relation
        self._distances = distances
        self.cells = relation.layout.cells
        self.states: list[dict[Cell, Any]] = [{cell: constant(cell, cell.initial) for cell in self.cells}]
        self.steps: list[Step] = []
        self._constants = {cell: cell_term(cell, cell.value) for cell in self.cells}
        self._props = tuple(relation.failing)
        changing = [cell_term(cell, relation.next[cell]) for cell in self.cells]
        self._bundle = Bundle([*changing, relation.going, *(relation.failing[prop] for prop in self._props)])

    def extend(self) -> Step:
        """One more step."""
        index = len(self.steps) + 1
        inputs = tuple(z3.BitVec(f"{x.decl().name()}@{index}", x.size()) for x in self.relation.inputs)
        never = [] if self._distances is None else self._distances.never(index - 1)
        pairs = [*never, *self.pairs(index - 1), *zip(self.relation.inputs, inputs, strict=True)]
        terms = self._bundle.copy(pairs, bool(never) or index <= SIMPLIFIED_STEPS)
        state: dict[Cell, Any] = {}
        definitions = []
        for cell, term in zip(self.cells, terms, strict=False):
            if z3.is_const(term):  # a value, or a constant of an earlier step
                state[cell] = term
                continue
            state[cell] = z3.Const(f"{cell.name}@{index}", term.sort())
            definitions.append(state[cell] == term)
        going, *failing = terms[len(self.cells) :]
        self.states.append(state)
        self.steps.append(Step(inputs, going, dict(zip(self._props, failing, strict=True)), tuple(definitions)))
        return self.steps[-1]

    def pairs(self, index: int) -> list[tuple[Any, Any]]:
        """What to replace to speak of the state after so many steps."""
        return [(self._constants[cell], term) for cell, term in self.states[index].items()]

    def who(self, index: int) -> Any:
        """The term for who takes a step (counted from 1); None in a program of one thread."""
        return None if self.relation.who.term is None else self.steps[index - 1].inputs[0]
