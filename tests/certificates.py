"""What a fresh solver says of a certificate's obligations, written down in both ways, which have to agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from formal.certificates.asking import at_once, by_move
from formal.invariant import Invariant
from formal.invariant.ranking import Ranking
from formal.program import Program
from formal.smt.changes import Changes
from formal.smt.finite import TooManyCases
from formal.smt.scripts import ask_z3


def answers(
    program: Program, invariant: Invariant, proves: Collection[str], rankings: Mapping[str, Ranking] = MappingProxyType({})
) -> dict[str, str]:
    """`sat` or `unsat` by obligation, as `recheck` names them."""
    try:
        found = asked(by_move(program, invariant, proves, rankings))
    except TooManyCases:
        return asked(at_once(program, invariant, proves, rankings))
    assert asked(at_once(program, (*Changes(program).proper_clauses(), *invariant), proves, rankings)) == found
    return found


def asked(scripts: Mapping[str, str]) -> dict[str, str]:
    return {which: ask_z3(text)[0] for which, text in scripts.items()}
