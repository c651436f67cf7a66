"""What a diagram is made of, and how spans share lanes. Coordinates in CSS pixels. Must not know witnesses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

CHAR = 6.7  # the advance of the diagram's font, at most


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a row. `lock`: whose colour they have; `kind`: a class of the style sheet."""

    text: str
    kind: str = ""
    lock: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One step, or what is said below the last one (`step` is None then)."""

    step: int | None
    top: float
    height: float
    line: float  # the middle of the statement's line
    x: float
    text_x: float
    place: tuple[Piece, ...]
    text: tuple[Piece, ...]
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A lock while it is held, or a bottom half while it runs (`lock` is None then). `open`: to the end and beyond."""

    x: float
    y: float
    height: float
    lock: int | None
    reading: bool
    open: bool
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A path. `tip`: where an arrow's head is, and which way it points (1: right)."""

    path: str
    kind: str
    label: str
    tip: tuple[float, float, int] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    x: float
    name: str
    full: str


@dataclass(slots=True)
class Diagram:
    width: float = 0.0
    height: float = 0.0
    numbers_x: float = 0.0
    heads: list[Head] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    still: tuple[str, ...] = ()  # threads that never move, and have no column


def cross(x: float, y: float, label: str) -> Line:
    """A mark for a thread that goes nowhere."""
    return Line(f"M{x - 4:g} {y - 4:g}l8 8M{x + 4:g} {y - 4:g}l-8 8", "cross", label)


def right(row: Row) -> float:
    """Where the longer line of a row ends."""
    return row.text_x + CHAR * max(sum(len(piece.text) + 2 for piece in pieces) for pieces in (row.place, row.text))


def lanes(spans: Iterable[tuple[str, int, int | None]]) -> list[int]:
    """For each span, in order of their starts, the first lane of its owner that is free."""
    found = []
    busy: dict[str, list[float]] = {}
    for owner, start, end in spans:
        mine = busy.setdefault(owner, [])
        lane = next((number for number, until in enumerate(mine) if until < start), len(mine))
        mine[lane : lane + 1] = [float("inf") if end is None else end]
        found.append(lane)
    return found
