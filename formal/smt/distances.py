"""How soon a thread can be at a place: what a step of a short execution need not ask.

In: a relation. Out: by number of steps, the tests of locations that are surely false by then. Control flow alone says so: a thread that
does not wait for a spawn starts at its entry, and each of its steps takes it to one of the places that follow. It must not know solvers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import z3

from formal.smt.holding import Flow, flow_of
from formal.smt.relation import Relation
from formal.smt.terms import equal, number


class Distances:
    """Of each thread, the steps that it needs to each place."""

    def __init__(self, relation: Relation) -> None:
        program, layout = relation.cfg.program, relation.layout
        self._tests: list[tuple[int, Any]] = []
        for thread, cells in enumerate(layout.threads):
            if thread not in program.spawned:
                for place, steps in _steps_to(flow_of(program, layout.reachable[thread], False)).items():
                    test = equal(cells.pc.value, number(place))
                    if not isinstance(test, bool):
                        self._tests.append((steps, test))

    @property
    def places(self) -> int:
        """How many are not there from the start."""
        return sum(needed > 0 for needed, _ in self._tests)

    def never(self, steps: int) -> list[tuple[Any, Any]]:
        """What to replace in a term about the state after so many steps."""
        return [(test, z3.BoolVal(False)) for needed, test in self._tests if needed > steps]


def _steps_to(flow: Flow) -> Mapping[int, int]:
    """By place, the fewest steps. What is inside of an atomic takes no step of its own."""
    found = {flow.entry: 0}
    queue = deque([flow.entry])
    while queue:
        node = queue.popleft()
        for target in flow.follows.get(node, ()):
            inner = _inner(flow, target)
            steps = found[node] + (0 if inner else 1)
            if steps < found.get(target, steps + 1):
                found[target] = steps
                (queue.appendleft if inner else queue.append)(target)
    return {place: steps for place, steps in found.items() if not _inner(flow, place)}


def _inner(flow: Flow, node: int) -> bool:
    return node in flow.nodes and flow.nodes[node].inner
