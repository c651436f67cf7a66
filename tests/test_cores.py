"""Cores by an invariant: units from which a property follows, and none of which can be left out."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

import pytest

from formal.smt.counted import Support
from formal.vacuity.cores import Cores

CLAUSES = range(8)
UNITS = range(6)
PROPS = ("p", "q", "r")


@dataclass
class Made:
    """Clauses and properties that follow from some of the others with some units, in one of a few ways."""

    seed: int

    def __post_init__(self) -> None:
        pick = random.Random(self.seed)
        self.beginning = tuple(CLAUSES)
        self.always: frozenset[int] = frozenset()
        self.together = pick.random() < 0.5  # a step that breaks one clause is told to break others

        def ways() -> list[Support]:
            made = [(pick.sample(CLAUSES, pick.randint(0, 2)), pick.sample(UNITS, pick.randint(0, 2))) for _ in range(pick.randint(1, 3))]
            return [Support(frozenset(clauses), frozenset(units)) for clauses, units in made]

        self.clauses = {number: ways() for number in CLAUSES}
        self.props = {name: ways() for name in PROPS}

    def safe(self, prop: str, clauses: Collection[int], switches: Collection[int]) -> Support | None:
        return _way(self.props[prop], clauses, switches)

    def kept(self, clause: int, clauses: Collection[int], switches: Collection[int]) -> Support | frozenset[int]:
        found = _way(self.clauses[clause], clauses, switches)
        if found is not None:
            return found
        others = [one for one in clauses if _way(self.clauses[one], clauses, switches) is None] if self.together else []
        return frozenset((clause, *others))

    def follows(self, prop: str, units: Collection[int]) -> bool:
        """From the largest set of clauses that keep each other."""
        left = set(CLAUSES)
        while gone := [one for one in left if _way(self.clauses[one], left, units) is None]:
            left -= set(gone)
        return _way(self.props[prop], left, units) is not None


def _way(ways: list[Support], clauses: Collection[int], switches: Collection[int]) -> Support | None:
    return next((one for one in ways if one.clauses <= set(clauses) and one.switches <= set(switches)), None)


@pytest.mark.parametrize("own", [0, 1])
def test_a_core_is_enough_and_none_of_it_can_be_left_out(own: int) -> None:
    """`own`: units that count for a property anyway count for what its own statement does, and are in no core."""
    sizes: set[int] = set()
    for seed in range(300):
        made = Made(seed)
        mine: dict[str, list[int]] = {name: [number][:own] for number, name in enumerate(PROPS)}
        found = Cores(made, lambda: False).cores(mine, [[0], [1, 2], [3, 4, 5]])
        assert own or set(found) == {name for name in PROPS if made.follows(name, UNITS)}
        for name, core in found.items():
            sizes.add(len(core))
            if not own:
                assert made.follows(name, core), seed
                assert not any(made.follows(name, core - {unit}) for unit in core), seed
            assert core.isdisjoint(mine[name])
    assert {0, 1, 2} <= sizes


def test_no_question_more_than_there_are() -> None:
    """What is not made smaller is a core all the same."""
    for seed in range(60):
        made = Made(seed)
        found = Cores(made, lambda: False, most=1).cores(dict.fromkeys(PROPS, ()), [list(UNITS)])
        assert all(made.follows(name, core) for name, core in found.items())
