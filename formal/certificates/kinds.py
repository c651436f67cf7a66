"""States of a program with members of several sorts, of which few are told, and of the others only of which kinds they may be.

In and out: `Told`, which `lineup` makes of states, `Kind`s, and the names of members. Only names are looked at: a *fact* is a part and its
value, `quit[c[3]]=true`. What is as in the first state is left out. Must not know programs.

A member is told if a fact speaks of it and of something else that is no member's, or another's: a *link*. Each of the others is of a kind:
the facts that speak of it alone, whichever one it is, and where it stands to each `for` in progress.
docs/decisions/019-kinds-certificates.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from formal.certificates.crowded import ANY, Fact

Member: TypeAlias = tuple[int, int]  # the number of a sort, and which one of it
PASSED: Final = "passed by "  # facts of a member: a `for` is through with it,
REACHED: Final = "reached by "  # has come to it,
AHEAD: Final = "ahead of "  # or has it before it; then who goes through them
STANDING: Final = (PASSED, REACHED, AHEAD)


@dataclass(frozen=True, order=True)
class Kind:
    """`sort`: its number; `facts`: in order."""

    sort: int
    facts: tuple[Fact, ...]

    @cached_property
    def standing(self) -> tuple[Fact, ...]:
        """Where it stands to each `for` in progress."""
        return tuple(fact for fact in self.facts if fact.startswith(STANDING))

    def elsewhere(self, standing: tuple[Fact, ...]) -> Kind:
        """The same where it stands so."""
        own = [fact for fact in self.facts if not fact.startswith(STANDING)]
        return Kind(self.sort, tuple(sorted((*own, *standing))))

    @cached_property
    def rank(self) -> int:
        """The lower, the further to the front it stands."""
        return sum(1 if fact.startswith(REACHED) else 2 for fact in self.facts if fact.startswith((REACHED, AHEAD)))


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """What is said exactly. `shared`: the facts that speak of no member; `told`: the kinds of those that are told, 0 and on in each sort;
    `links`: the facts that speak of those and of something else."""

    shared: tuple[Fact, ...]
    told: tuple[Kind, ...]
    links: tuple[Fact, ...]

    def places(self) -> list[Member]:
        """By what number each of `told` goes in its sort."""
        counts: dict[int, int] = {}
        found = []
        for kind in self.told:
            found.append((kind.sort, counts.get(kind.sort, 0)))
            counts[kind.sort] = counts.get(kind.sort, 0) + 1
        return found


class Names:
    """How members are named: by one of a sort's names, and a number. `sorts`: the names of each."""

    def __init__(self, sorts: Iterable[Iterable[str]]) -> None:
        self._sort = {name: number for number, names in enumerate(sorts) for name in names}
        name = r"(?<![A-Za-z0-9_])(" + "|".join(map(re.escape, sorted(self._sort))) + ")"
        self._pattern = re.compile(name + r"\[(\d+)\]")
        self._open = re.compile(name + r"\[(?:\d+|\*)\]")

    def members(self, text: str) -> list[Member]:
        """Those that a text names, in its order."""
        return [(self._sort[name], int(number)) for name, number in self._pattern.findall(text)]

    def sort_of(self, text: str) -> int | None:
        """The sort of the first one whom a text names or leaves open."""
        found = self._open.search(text)
        return None if found is None else self._sort[found[1]]

    def anybody(self, text: str) -> str:
        """The text with whoever it names left open."""
        return self._pattern.sub(r"\1" + ANY, text)

    def renamed(self, text: str, new: Mapping[Member, Member]) -> str:
        """The text with others of their sort in the place of those that it names."""
        return self._pattern.sub(lambda found: f"{found[1]}[{new[self._sort[found[1]], int(found[2])][1]}]", text)
