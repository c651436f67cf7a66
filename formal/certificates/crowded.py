"""States of a program with some members of a family, in terms that do not say how many members there are.

In and out: `Crowded`, which `roster` makes of states, and the names of members. Only names are looked at: a *fact* is a part and its value,
`stop[vcpu[3]]=true`. Whatever is as in the first state is left out. Must not know programs.

A member's *kind* are the facts that speak of it alone, whichever one it is: `stop[vcpu[*]]=true`. Where a fact speaks of several members,
a *link*, those are told one by one. All others are counted, by kind. docs/decisions/018-family-certificates.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Fact: TypeAlias = str
Kind: TypeAlias = tuple[Fact, ...]  # in order
ANY: Final = "[*]"


class Unsuited(Exception):
    """Why there is nothing that can be said of all sizes: a sentence without its end."""


@dataclass(frozen=True, slots=True, order=True)
class Crowded:
    """`shared`: the facts that speak of no member; `told`: the kinds of the members that are told, 0 and on; `links`: the facts that speak
    of several of those; `crowd`: how many of the others are of each kind."""

    shared: tuple[Fact, ...]
    told: tuple[Kind, ...]
    links: tuple[Fact, ...]
    crowd: tuple[tuple[Kind, int], ...]

    def cut(self, many: int) -> Crowded:
        """With no more than so many of a kind."""
        return Crowded(self.shared, self.told, self.links, tuple((kind, min(count, many)) for kind, count in self.crowd))

    @property
    def members(self) -> int:
        """How many there are."""
        return len(self.told) + sum(count for _, count in self.crowd)


class Naming:
    """How members are named: by one of these names, and a number."""

    def __init__(self, names: Iterable[str]) -> None:
        self._pattern = re.compile(r"(?<![A-Za-z0-9_])(" + "|".join(map(re.escape, sorted(names))) + r")\[(\d+)\]")

    def members(self, text: str) -> list[int]:
        """Those that a text names, in its order."""
        return [int(number) for _, number in self._pattern.findall(text)]

    def anybody(self, text: str) -> str:
        """The text with whoever it names left open."""
        return self._pattern.sub(r"\1" + ANY, text)

    def renamed(self, text: str, new: Mapping[int, int]) -> str:
        """The text with others in the place of those that it names."""
        return self._pattern.sub(lambda found: f"{found[1]}[{new[int(found[2])]}]", text)


def in_line(crowded: Crowded, more: Iterable[Kind] = ()) -> Iterator[Kind]:
    """The kind of each member: who is told, the crowd, and one more of each of these."""
    yield from crowded.told
    for kind, count in crowded.crowd:
        yield from (kind for _ in range(count))
    yield from more
