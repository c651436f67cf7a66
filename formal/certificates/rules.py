"""Which label a state has, as a short list of rules over its named parts; of the rules that a state meets, the first counts.

In: a census of the reachable states, the states of each label as the bits of an integer. Out: rules, each a conjunction over few parts. A
rule comes from one state: parts that are not needed to tell it from states of other labels are left out, and each that is gets more values
as long as that takes in more states of the label. What the census cannot tell of a part may be anything: it tells no states apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Final, Generic, TypeAlias, TypeVar

from formal.certificates.census import Census
from formal.invariant import Literal, literal_over
from formal.smt.parts import Part

Label = TypeVar("Label", bound=Hashable)
Chosen: TypeAlias = Mapping[Part, set[int]]  # the values of a rule's parts

_SEEDS: Final = 5  # states that a rule is made from, to take the one that is met by most


class Indistinct(Exception):
    """Two states with different labels look the same."""


class Rules(Generic[Label]):
    """The rules for the labels, in that order. `parts`: the least important first; `matters`: states that need their label. Raises
    Indistinct."""

    def __init__(self, census: Census, parts: Sequence[Part], labels: Mapping[Label, int], matters: int) -> None:
        self._census, self._parts = census, parts
        self._open = matters  # states that no rule is met by so far
        self.rules: list[tuple[tuple[Literal, ...], Label]] = []
        for label, states in labels.items():
            while states & self._open:
                self._one(label, states & self._open)

    def _one(self, label: Label, mine: int) -> None:
        """The next rule, for some of these states."""
        best, most = None, 0
        for seed in _spread(mine):
            chosen = self._widened(self._core(seed, self._open & ~mine), mine)
            met = self._met(chosen) & mine
            if met.bit_count() > most:
                best, most = (chosen, met), met.bit_count()
        if best is None:
            raise Indistinct
        self.rules.append((_literals(best[0]), label))
        self._open &= ~best[1]

    def _core(self, seed: int, others: int) -> dict[Part, set[int]]:
        """Parts that tell a state from the others, none of them needless."""
        values = [(part, self._value(part, seed)) for part in self._parts]
        known = [(part, value, self._census.having(part, value)) for part, value in values if value is not None]
        rest = [others]  # rest[i]: those that have the last i of the values
        for _, _, mask in reversed(known):
            rest.append(rest[-1] & mask)
        if rest[-1]:
            raise Indistinct
        core: dict[Part, set[int]] = {}
        kept = others
        for number, (part, value, mask) in enumerate(known, 1):
            if kept & rest[len(known) - number]:
                core[part] = {value}
                kept &= mask
        return core

    def _value(self, part: Part, state: int) -> int | None:
        """The one value that a part has in a state; None if there are several that it may have."""
        found = [value for value in part.values if self._census.having(part, value) & state]
        return found[0] if len(found) == 1 else None

    def _widened(self, chosen: dict[Part, set[int]], mine: int) -> Chosen:
        """More values, those that matter most last."""
        census = self._census
        masks = {part: reduce(or_, (census.having(part, value) for value in values)) for part, values in chosen.items()}
        for part in reversed(list(chosen)):
            company = reduce(and_, (masks[other] for other in chosen if other is not part), self._open)
            for value in part.values:
                mask = census.having(part, value) & company
                if mask & mine and not mask & ~mine:
                    chosen[part].add(value)
                    masks[part] |= census.having(part, value)
        return chosen

    def _met(self, chosen: Chosen) -> int:
        """The states that meet a rule for sure."""
        lacking = (self._census.having(part, value) for part, values in chosen.items() for value in part.values if value not in values)
        return self._census.everybody & ~reduce(or_, lacking, 0)


def _literals(chosen: Chosen) -> tuple[Literal, ...]:
    """The most important part first."""
    found = []
    for part, values in reversed(list(chosen.items())):
        names = frozenset(name for name, value in part.number_of.items() if value in values)
        found.append(literal_over(part.name, part.domain, names))
    return tuple(found)


def _spread(states: int) -> Iterator[int]:
    """A few of some states, far from each other."""
    apart = max(1, states.bit_length() // _SEEDS)
    while states:
        lowest = states & -states
        yield lowest
        states &= ~((lowest << apart) - 1)
