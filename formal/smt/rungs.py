"""Where a state stands in a ranking, as terms: which rule counts, and what its levels are.

In: when each rule's condition is met, and its levels. Out: `Standing`, of Booleans only. Ranks and helpers are told one by one:
chains of if-then-else over hundreds of rules take one of the solvers a hundred times as long. It must not know what ranks are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from formal.invariant.ranking import Level
from formal.smt.terms import Bool, any_of, both, either, negation

Levels: TypeAlias = Sequence[Level]


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """One level: by rank, the least first, whether it is the `rank`; by thread, whether it is the `helper`; and whether there is a `deeper`
    level. All false where there is no such level."""

    rank: tuple[Bool, ...]
    helper: tuple[Bool, ...]
    deeper: Bool


class Standing:
    """`owed`: the rule that counts has a level; `levels`; `last`: by thread, whether it is the helper of the last one."""

    def __init__(self, conditions: Sequence[Bool], levels: Sequence[Levels], threads: Sequence[str]) -> None:
        counts = list(zip(_first(conditions), levels, strict=True))
        ranks = sorted({level.rank for some in levels for level in some})

        def rung(at: int) -> Rung:
            here = [(fires, some[at]) for fires, some in counts if len(some) > at]
            rank = tuple(any_of([fires for fires, level in here if level.rank == one]) for one in ranks)
            return Rung(rank, _helpers(here, threads), any_of([fires for fires, some in counts if len(some) > at + 1]))

        self.owed = any_of([fires for fires, some in counts if some])
        self.levels = tuple(rung(at) for at in range(max(map(len, levels), default=0)))
        self.last = _helpers([(fires, some[-1]) for fires, some in counts if some], threads)


def _helpers(levels: Sequence[tuple[Bool, Level]], threads: Sequence[str]) -> tuple[Bool, ...]:
    return tuple(any_of([fires for fires, level in levels if level.helper == name]) for name in threads)


def _first(conditions: Sequence[Bool]) -> list[Bool]:
    """Of each, whether it is the first that is met."""
    found = []
    none: Bool = True
    for condition in conditions:
        found.append(both(none, condition))
        none = both(none, negation(condition))
    return found


def same_rank(one: Rung, other: Rung) -> Bool:
    return any_of([both(left, right) for left, right in zip(one.rank, other.rank, strict=True)])


def less_rank(one: Rung, other: Rung) -> Bool:
    """Whether the one is below the other."""
    found: list[Bool] = []
    below: Bool = False
    for left, right in zip(one.rank, other.rank, strict=True):
        found.append(both(below, right))
        below = either(below, left)
    return any_of(found)


def same_helper(one: Rung, other: Rung) -> Bool:
    return any_of([both(left, right) for left, right in zip(one.helper, other.helper, strict=True)])
