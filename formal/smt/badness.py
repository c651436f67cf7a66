"""What is bad about a state: a term for each property of states, over the relation's current-state constants.

In: a relation and the properties asked for. Out: by name, when a state violates it; and the constants in it that stand for anything at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from formal.program import DEADLOCK_GLOBAL, DEADLOCK_LOCK_ORDER, DEADLOCK_PARTIAL, Property
from formal.smt.deadlock import Deadlocks, Standstill, deadlocks
from formal.smt.expressions import Evaluator
from formal.smt.layout import Staged
from formal.smt.references import declaration_site
from formal.smt.scene import State, set_scene
from formal.smt.terms import Bool, negation, number


@dataclass(frozen=True, slots=True, eq=False)
class Badness:
    """`terms`: by property, when a state violates it. `free`: constants that a violation may choose (the set of a deadlock)."""

    terms: Mapping[str, Bool]
    free: tuple[Any, ...]


def invariant_broken(relation: Staged, prop: Property) -> Bool:
    """When an invariant does not hold."""
    assert prop.condition is not None
    scene = set_scene(relation.cfg, relation.layout, (0,), number(0))
    root = relation.layout.reachable[0][0].root
    return negation(Evaluator(scene, State(), declaration_site(root), number(-1), {}).holds_true(prop.condition))


def badness(relation: Staged, still: Standstill, properties: Sequence[Property]) -> Badness:
    """The terms of all the properties of states among these."""
    terms: dict[str, Bool] = {p.name: invariant_broken(relation, p) for p in properties if p.kind == "invariant"}
    wanted = [p.name for p in properties if p.kind == "deadlock"]
    if not wanted:
        return Badness(terms, ())
    found: Deadlocks = deadlocks(relation, still)
    by_name = {DEADLOCK_GLOBAL: found.everything, DEADLOCK_PARTIAL: found.partial.term, DEADLOCK_LOCK_ORDER: found.lock_order.term}
    terms.update((name, by_name[name]) for name in wanted)
    return Badness(terms, found.free)
