"""States of one size of a family, put into the terms of any size, and back.

In: a program of one size (`formal.smt.concrete`), how members are named. Out: of a state a `Crowded`, and states that one stands for. It
must not know steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations, product
from math import factorial, prod
from typing import Final

from formal.certificates.crowded import ANY, Crowded, Fact, Kind, Naming, Unsuited, in_line
from formal.smt.concrete import Concrete, State

MOST_ORDERS: Final = 720  # of members that are told and have the same kind


class Roster:
    """One size of a family: `size` members."""

    def __init__(self, concrete: Concrete, naming: Naming, size: int) -> None:
        self.concrete = concrete
        self.size = size
        self._naming = naming
        self._facts: dict[Fact, tuple[int, int]] = {}
        self._said: list[Mapping[int, tuple[tuple[int, ...], Fact]]] = []
        for position, (name, values) in enumerate(zip(concrete.names, concrete.values, strict=True)):
            said = {}
            for value, word in values.items():
                fact = f"{name}={word}"
                self._facts[fact] = position, value
                if value != concrete.initial[position]:
                    speaks = tuple(sorted(set(naming.members(fact))))
                    said[value] = speaks, naming.anybody(fact) if len(speaks) == 1 else fact
                elif naming.members(word) and naming.members(word) != naming.members(name):
                    raise Unsuited(f"in the first state `{name}` is `{word}`")
            self._said.append(said)
        self._own: dict[tuple[Kind, int], list[tuple[int, int]]] = {}
        found = [naming.members(name) for name in concrete.threads]
        self.member_of = [members[0] if members else None for members in found]

    def of(self, state: State) -> Crowded:
        """A state in these terms. Raises Unsuited."""
        own: list[list[Fact]] = [[] for _ in range(self.size)]
        shared: list[Fact] = []
        links: list[Fact] = []
        for said, value in zip(self._said, state, strict=True):
            one = said.get(value)
            if one is not None:
                speaks, fact = one
                (own[speaks[0]] if len(speaks) == 1 else links if speaks else shared).append(fact)
        kinds = [tuple(sorted(facts)) for facts in own]
        linked = sorted({member for fact in links for member in self._naming.members(fact)})
        counts: dict[Kind, int] = {}
        for member, kind in enumerate(kinds):
            if member not in linked:
                counts[kind] = counts.get(kind, 0) + 1
        told, spoken = self._in_order(linked, kinds, links)
        return Crowded(tuple(sorted(shared)), told, spoken, tuple(sorted(counts.items())))

    def _in_order(self, linked: Sequence[int], kinds: Sequence[Kind], links: Sequence[Fact]) -> tuple[tuple[Kind, ...], tuple[Fact, ...]]:
        """Those who are told, and what is said of several: in the same way whoever they are. Raises Unsuited."""
        alike: dict[Kind, list[int]] = {}
        for member in linked:
            alike.setdefault(kinds[member], []).append(member)
        if prod(factorial(len(some)) for some in alike.values()) > MOST_ORDERS:
            raise Unsuited("too many members speak of each other")
        found: list[tuple[Fact, ...]] = []
        for order in product(*(permutations(alike[kind]) for kind in sorted(alike))):
            new = {member: place for place, member in enumerate(member for some in order for member in some)}
            found.append(tuple(sorted(self._naming.renamed(fact, new) for fact in links)))
        return tuple(kind for kind in sorted(alike) for _ in alike[kind]), min(found)

    def state(self, crowded: Crowded, more: Iterable[Kind] = ()) -> State:
        """A state with so many members of each kind, and one more of each of these. They come in this order: who is told, the crowd, the
        others. Raises KeyError where a fact is none of this program."""
        new = list(self.concrete.initial)
        for fact in (*crowded.shared, *crowded.links):
            position, value = self._facts[fact]
            new[position] = value
        for member, kind in enumerate(in_line(crowded, more)):
            for position, value in self._of_member(kind, member):
                new[position] = value
        return tuple(new)

    def _of_member(self, kind: Kind, member: int) -> list[tuple[int, int]]:
        found = self._own.get((kind, member))
        if found is None:
            found = self._own[kind, member] = [self._facts[fact.replace(ANY, f"[{member}]")] for fact in kind]
        return found
