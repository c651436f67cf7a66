"""A program of any size, for who holds a certificate of all sizes to it.

In: a program whose parameter says how many members there are of something, from how many on. Out: `Family`: the program of each size by its
parts, and from how many alike members on it makes no difference how many; or why nothing can be said. It must not know certificates, nor
who looks for them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from formal.certificates.crowded import Naming, Unsuited
from formal.certificates.roster import Roster
from formal.certificates.sized import check_shape, encoded, invariants, member_names, sized
from formal.interp import Elements, Uncountable
from formal.program import Counted, Program
from formal.smt.concrete import Concrete

SAMPLE: Final = 6  # members of the program that is asked what can be counted
MANY_MORE: Final = 40  # members at which what depends on their number would do so
LARGEST: Final = 14  # members of the largest program that states are looked at in


class Family:
    """`name`: of the parameter; `least`: its first value; `enough`: so many alike members are as good as more; `many`: so many are counted,
    as many if nothing else is said; `extra`: the --with files. Raises Unsuited."""

    def __init__(self, program: Program, name: str, least: int, asked: Collection[str], extra: tuple[str, ...] = ()) -> None:
        counted = program.counts.get(name)
        if counted is None or counted.high is not None:
            raise Unsuited(f"`{name}` has an upper bound")
        self.name = name
        self.least = max(least, counted.low)
        self._program = program
        self._asked = frozenset(asked)
        self._extra = extra
        self._rosters: dict[int, Roster] = {}
        self.enough, self._naming = self._looked_at(counted)
        self.many = self.enough
        self._terms: frozenset[object] | None = None

    def _looked_at(self, counted: Counted) -> tuple[int, Naming]:
        """What the text has to be like for members to be counted: docs/decisions/009-families.md has the argument. Raises Unsuited."""
        if counted.otherwise is not None:
            raise Unsuited(f"{self.name} says more than how many there are of something (line {counted.otherwise.line})")
        if counted.bounds:
            raise Unsuited(f"how far `{min(counted.bounds)}` goes depends on {self.name}")
        small, large = self._sized(SAMPLE), self._sized(MANY_MORE)
        check_shape(small, large, self.name)
        try:
            Elements(large, invariants(large)).check_ranges(counted.names)
            found = Elements(small, invariants(small)).countable(counted.names)
        except Uncountable as problem:
            raise Unsuited(str(problem)) from problem
        return found.many, Naming(member_names(counted, found.sorts))

    def _sized(self, size: int) -> Program:
        return sized(self._program, {self.name: size}, self._extra)

    def roster(self, size: int) -> Roster:
        """The program with so many members. Raises Unsuited."""
        if size not in self._rosters:
            self._rosters[size] = self._made(size)
        return self._rosters[size]

    def _made(self, size: int) -> Roster:
        if size > LARGEST:
            raise Unsuited(f"more than {LARGEST} members have to be looked at")
        program = self._sized(size)
        check_shape(program, self._program, self.name)
        concrete = encoded(lambda: Concrete(program, self._asked))
        terms = self._terms_of(concrete)
        self._terms = self._terms or terms
        if terms != self._terms:
            raise Unsuited("what a state is made of depends on how many there are")
        return Roster(concrete, self._naming, size)

    def _terms_of(self, concrete: Concrete) -> frozenset[object]:
        """The parts of a state, what they are at first and what they may be, and how control goes from place to place, whoever that is
        about: the same for every size."""
        anybody = self._naming.anybody
        parts = zip(concrete.names, concrete.values, concrete.initial, strict=True)
        found: set[object] = {(anybody(name), anybody(said[first]), frozenset(map(anybody, said.values()))) for name, said, first in parts}
        flow = ((anybody(name), *what, tuple(map(anybody, targets))) for name, *what, targets in concrete.flow())
        return frozenset((*found, *flow))
