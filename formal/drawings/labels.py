"""Where the labels of arrows go: beside their arrows, and on nothing else.

In: what was laid out. Out: `Label`s. The places along an arrow are tried one after the other; the first that is free is taken, else the
one that covers the least.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from formal.drawings.layout import Arrow, Laid, Point, Size

LABEL_ROW: Final = 13.0
_LONGEST: Final = 44  # characters in one line
_SHARES: Final = (0.45, 0.55, 0.35, 0.65, 0.25, 0.75, 0.15, 0.85)  # of an arrow's length
_NEAR: Final = 12.0  # from the start of an arrow that says which way a test goes
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """`x`, `y`: its upper left corner."""

    lines: tuple[str, ...]
    x: float
    y: float
    width: float


def place_labels(laid: Laid, sizes: Mapping[str, Size], char: float) -> tuple[Label, ...]:
    """`char`: the width of a character."""
    taken = [_around(centre, sizes[name]) for name, centre in laid.centres.items()]
    labels = []
    for arrow in laid.arrows:
        lines = tuple(line for edge in arrow.edges if edge.label for line in textwrap.wrap(edge.label, _LONGEST, break_on_hyphens=False))
        if not lines:
            continue
        width, height = max(map(len, lines)) * char, LABEL_ROW * len(lines)
        places = [(x + dx, y - height / 2) for x, y in _along(arrow) for dx in (5.0, -width - 5.0)]
        x, y = min(
            (place for place in places if place[0] >= 0), key=lambda place: _covered((*place, place[0] + width, place[1] + height), taken)
        )
        taken.append((x, y, x + width, y + height))
        labels.append(Label(lines, x, y, width))
    return tuple(labels)


def _around(centre: Point, size: Size) -> _Box:
    return centre[0] - size[0] / 2, centre[1] - size[1] / 2, centre[0] + size[0] / 2, centre[1] + size[1] / 2


def _covered(box: _Box, taken: list[_Box]) -> float:
    """How much of the others a box would cover."""
    return sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0])) * max(0.0, min(box[3], other[3]) - max(box[1], other[1])) for other in taken
    )


def _along(arrow: Arrow) -> Iterator[Point]:
    """Points on an arrow: near its start first where that is where it is read, else near its middle."""
    points = arrow.points
    lengths = [((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 for (x1, y1), (x2, y2) in pairwise(points)]
    total = sum(lengths) or 1.0
    if arrow.edges[0].tone in ("plain", "back"):
        yield _at(arrow, lengths, min(_NEAR, total / 2))
    for share in _SHARES:
        yield _at(arrow, lengths, share * total)


def _at(arrow: Arrow, lengths: list[float], distance: float) -> Point:
    """The point so far along an arrow."""
    for number, length in enumerate(lengths):
        if distance <= length and length:
            (x1, y1), (x2, y2) = arrow.points[number], arrow.points[number + 1]
            return x1 + (x2 - x1) * distance / length, y1 + (y2 - y1) * distance / length
        distance -= length
    return arrow.points[-1]
