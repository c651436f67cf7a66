"""Sets of values of all parts of a state as one integer, a *row*; and what permutations of alike members make of it.

In: the parts, and who is alike. Out: where each set lies in a row, whether some set is empty; a row under a permutation, and the smallest
row with another one in it that some permutations leave as it is. It must not know what rows are about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TypeAlias

from formal.smt.alike import Member, Name, Roster, image, pattern
from formal.smt.parts import Part

Row: TypeAlias = int  # of each part the values that it may have, each set in a field of its own


class Fields:
    """A field for each part, a bit for each value, and above it a bit that stays 0."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.starts: list[int] = []
        self.masks: list[int] = []
        start = 0
        for part in parts:
            self.starts.append(start)
            self.masks.append(((1 << len(part.values)) - 1) << start)
            start += len(part.values) + 1
        self.all = sum(self.masks)
        self.above = self.all + sum(1 << start for start in self.starts)

    def possible(self, row: Row) -> bool:
        """Whether no set is empty: then a field and all ones together reach the bit above it."""
        return row + self.all & self.above == self.above

    def of(self, row: Row, number: int) -> int:
        """The values of one part."""
        return (row & self.masks[number]) >> self.starts[number]

    def bit(self, number: int, value: int) -> int:
        """One value, as `of` has it."""
        return 1 << self.parts[number].values.index(value)

    def bits(self, part: Part, number: int, values: Set[int]) -> Row:
        """Values of one part, in its place."""
        return sum(1 << place for place, value in enumerate(part.values) if value in values) << self.starts[number]


class Shuffle:
    """A permutation of the bits of rows, most of which stay: by how far they are moved, which ones are."""

    def __init__(self, moved: Mapping[int, int]) -> None:
        masks: dict[int, int] = {}
        for here, there in moved.items():
            masks[there - here] = masks.get(there - here, 0) | 1 << here
        self._moved = sum(masks.values())
        self._left = [(mask, far) for far, mask in masks.items() if far > 0]
        self._right = [(mask, -far) for far, mask in masks.items() if far < 0]

    def __call__(self, row: Row) -> Row:
        """The row with its bits where they go."""
        found = row & ~self._moved
        for mask, far in self._left:
            found |= (row & mask) << far
        for mask, far in self._right:
            found |= (row & mask) >> far
        return found


class Closure:
    """Bits that go together, as some permutations make each of all others of their kind."""

    def __init__(self, kinds: Sequence[Sequence[int]]) -> None:
        self._kind_of: dict[int, int] = {}
        for kind in kinds:
            together = sum(1 << bit for bit in kind)
            self._kind_of.update(dict.fromkeys((1 << bit for bit in kind), together))
        self._some = sum(self._kind_of)

    def __call__(self, row: Row) -> Row:
        """The row, and all that goes with what is in it."""
        left = row & self._some
        while left:
            together = self._kind_of[left & -left]
            row |= together
            left &= ~together
        return row


class Moving:
    """What permutations of a roster's members do to rows."""

    def __init__(self, fields: Fields, roster: Roster) -> None:
        self._roster = roster
        self._names: dict[int, Name] = {}  # of bits about some member
        for bit, name in self._named(fields) if roster.sizes else ():
            if name[1]:
                self._names[bit] = name
        self._bit_of = {name: bit for bit, name in self._names.items()}
        self._about: dict[Member, list[int]] = {}
        for bit, (_, members) in self._names.items():
            for member in dict.fromkeys(members):
                self._about.setdefault(member, []).append(bit)
        self._shuffles: dict[tuple[Member, ...], tuple[Shuffle, Shuffle]] = {}
        self._closures: dict[frozenset[Member], Closure] = {}

    def _named(self, fields: Fields) -> Iterator[tuple[int, Name]]:
        for part, start in zip(fields.parts, fields.starts, strict=True):
            what, members = self._roster.part(part)
            for place, value in enumerate(part.values):
                which, others = self._roster.value(part, value)
                yield start + place, ((what, which), (*members, *others))

    def bringing(self, members: Sequence[Member]) -> tuple[Shuffle, Shuffle]:
        """What makes rows about these members of rows about those in their normal form, and the other way round."""
        key = tuple(members)
        found = self._shuffles.get(key)
        if found is None:
            to = self._roster.bringing(members)
            bits = dict.fromkeys(bit for member in to for bit in self._about.get(member, ()))
            moved = {bit: self._bit_of[image(to, self._names[bit])] for bit in bits}
            back = {there: here for here, there in moved.items()}
            found = self._shuffles[key] = Shuffle(moved), Shuffle(back)
        return found

    def leaving(self, members: frozenset[Member]) -> Closure:
        """What all permutations that leave these members alone make of rows."""
        found = self._closures.get(members)
        if found is None:
            kinds: dict[Name, list[int]] = {}
            for bit, (what, others) in self._names.items():
                if not members.issuperset(others):
                    kinds.setdefault((what, pattern(others, members)), []).append(bit)
            found = self._closures[members] = Closure(list(kinds.values()))
        return found
