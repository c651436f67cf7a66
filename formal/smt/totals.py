"""How much options cost together, told in unary: for each sum that can come about, a term that is true where it is at least that.

In: terms with weights, and the sum beyond which one is as good as another. Out: clauses, which say nothing of sums that are less: it is
a limit that is wanted. (Generalized totalizer: Joshi, Martins, Manquinho, CP 2015.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import z3

from formal.smt.terms import any_of, negation


def totals(weighted: Sequence[tuple[Any, int]], most: int, add: Callable[[Any], None]) -> dict[int, Any]:
    """By sums, terms that hold where what is chosen weighs at least that; above `most`, sums are one. `add` gets the clauses."""
    level = [{min(weight, most + 1): term} for term, weight in weighted if weight]
    depth = 0
    while len(level) > 1:
        depth += 1
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [_both(pair, most, f"{depth} {at}", add) if len(pair) == 2 else pair[0] for at, pair in enumerate(pairs)]
    return level[0] if level else {}


def _both(pair: Sequence[dict[int, Any]], most: int, name: str, add: Callable[[Any], None]) -> dict[int, Any]:
    left, right = pair
    sums = sorted({*left, *right, *(min(a + b, most + 1) for a in left for b in right)})
    made = {one: z3.Bool(f"sum {name} {one}") for one in sums}
    for part in pair:
        for weight, term in part.items():
            add(any_of([negation(term), made[weight]]))
    for a, one in left.items():
        for b, other in right.items():
            add(any_of([negation(one), negation(other), made[min(a + b, most + 1)]]))
    for less, more in pairwise(sums):
        add(any_of([negation(made[more]), made[less]]))
    return made
