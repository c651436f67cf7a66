"""A statement being executed: one node in one state, by the moving thread of a scene.

In: a scene, a node, a state, and how choices are made. Out: what every statement's meaning needs: values, checks, successors.
It must not know the statements themselves.
"""

from __future__ import annotations

from typing import Any

from formal.program import (
    RANGE,
    BoolType,
    Place,
    Type,
)
from formal.smt.arguments import interval
from formal.smt.cfg import Node, Slot
from formal.smt.elements import Element
from formal.smt.expressions import Evaluator
from formal.smt.outcomes import Path, Pick
from formal.smt.references import resolve
from formal.smt.scene import Scene, State
from formal.smt.terms import Bool, Value, all_of, negation, within


class Execution:
    """One node in one state; `path` collects the outcomes."""

    def __init__(self, scene: Scene, node: Node, state: State, pick: Pick) -> None:
        self.scene = scene
        self.node = node
        self.state = state
        self.pick = pick
        self.path = Path(scene.program.disabled)
        self.at = Evaluator(scene, state, node.site, scene.who, {})

    def next(self, state: State, changed: bool = True) -> None:
        self.path.go(state, self.node.targets[0], changed)

    # ------------------------------------------------------------ values

    def fits(self, value: Value, type_: Type) -> Bool:
        """Whether a value belongs to a type."""
        if isinstance(type_, BoolType):
            return True
        return within(value, *interval(self.scene.program, type_))

    def write_slot(self, state: State, slot: Slot, value: Value) -> State:
        return state.with_value(self.scene.register(self.node.site.root.is_thread, slot), value)

    def assign(self, place: Place, value: Value, defined: Bool) -> None:
        """The check and the effect of `place = value`."""
        element, cells = self.at.place(place)
        target = resolve(place, self.node.site).ref
        type_: Any = target.decl.type  # type: ignore[union-attr]
        self.path.fail_if(negation(all_of((defined, element.defined, self.fits(value, type_)))), RANGE)
        self.next(element.put(self.state, cells, value))

    def branch(self, condition: Any, then: int, otherwise: int) -> None:
        value, defined = self.at.value(condition)
        self.path.fail_if(negation(defined), RANGE)
        self.path.go(self.state, then, where=value)
        self.path.go(self.state, otherwise, where=negation(value))

    def inside(self, ref: Any) -> Element:
        """The element that a reference denotes, after the check that it exists."""
        element = self.at.element(ref)
        self.path.fail_if(negation(element.defined), RANGE)
        return element
