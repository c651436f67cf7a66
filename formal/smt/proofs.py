"""Whether an invariant is a proof: checked from nothing, by a solver of its own.

In: a relation, terms over its current state, what is bad. Out: yes or no. It must not know where the terms come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import z3

from formal.smt.inductive import AnyStart
from formal.smt.relation import Relation
from formal.smt.solver import Answer, Session
from formal.smt.unroll import Bundle, cell_term, constant


def proves(relation: Relation, invariant: Sequence[Any], bad: Any, memory: int) -> bool:
    """Whether the terms hold together at the start, a step that goes on keeps them, and no state in which they hold is bad, nor a step
    from it. False also if the solver gives up. `memory`: mebibytes after which it does."""
    bundle = Bundle(invariant)
    session = Session(memory)
    session.add(*invariant)
    if not _none(session, bad):
        return False
    start = [(cell_term(cell, cell.value), constant(cell, cell.initial)) for cell in relation.layout.cells]
    if not _none(Session(memory), _some_fails(bundle, start)):
        return False
    unrolling = AnyStart(relation)
    step = unrolling.extend()
    session.add(*step.definitions, step.going)
    return _none(session, _some_fails(bundle, unrolling.pairs(1)))


def _some_fails(bundle: Bundle, pairs: Sequence[tuple[Any, Any]]) -> Any:
    """That not all terms hold in the state that the constants are replaced by."""
    return z3.Or(*[z3.Not(term) for term in bundle.copy(pairs, False)])


def _none(session: Session, term: Any) -> bool:
    """Whether nothing satisfies the term."""
    asked = z3.FreshBool("asked")
    session.add(z3.Implies(asked, term))
    return session.ask(asked) is Answer.UNSAT
