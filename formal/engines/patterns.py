"""Who may be there, as far as it makes a difference to those who look.

In: kinds of elements that are not told, and which of their cells are looked at. Out: all ways for them to be there or not. Must not know
states. See docs/decisions/016-company.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Final

from formal.interp import Entangled, Kind

GROUPS: Final = 6  # kinds that one step tells apart: all sets of them are looked at


def patterns(sorts: int, kinds: Sequence[Kind], seen: Mapping[int, frozenset[int]]) -> Iterator[list[list[Kind]]]:
    """All ways for kinds of so many sorts to be there or not, as far as these cells tell them apart; of each sort somebody is. Raises
    Entangled."""
    ways: list[list[list[list[Kind]]]] = []
    for number in range(sorts):
        groups = grouped([kind for kind in kinds if kind.sort == number], seen.get(number))
        if len(groups) > GROUPS:
            raise Entangled
        ways.append([list(some) for n in range(1, len(groups) + 1) for some in combinations(groups, n)])
    for way in product(*ways):
        yield [group for some in way for group in some]


def grouped(kinds: Iterable[Kind], offsets: frozenset[int] | None) -> list[list[Kind]]:
    """Those that differ in none of these cells are together; without any, all are."""
    found: dict[tuple[object, ...], list[Kind]] = {}
    for kind in kinds:
        found.setdefault(tuple([kind.cells[offset] for offset in sorted(offsets or ())]), []).append(kind)
    return list(found.values())
