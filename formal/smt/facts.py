"""What control flow says about locks and thread-locals, as far as it was proved to be so in every reachable state.

In: a relation. Out: those of the lemmas that are inductive, together with what keeps them. It must not know what rests on them.
"""

from __future__ import annotations

from typing import Any

from formal.smt.inductive import inductive, ranges
from formal.smt.lemmas import lemmas
from formal.smt.relation import Relation
from formal.smt.standing import standing
from formal.smt.terms import as_term


def proved_lemmas(relation: Relation, memory: int) -> list[Any]:
    """The lemmas that were proved; none if the solver gives up. `memory`: mebibytes after which it does."""
    offered = lemmas(relation)
    if not offered:
        return []
    known = {as_term(term).get_id() for term in offered}
    proved = inductive(relation, [*offered, *standing(relation), *ranges(relation)], memory)
    return [term for term in proved if term.get_id() in known]
