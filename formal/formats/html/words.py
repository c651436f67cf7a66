"""The words of a diagram, made to fit. What is left out stands in the details of the step, and in what is shown under the pointer."""

from __future__ import annotations

from formal.formats.html.shapes import Piece
from formal.verdict import Hop, Spot

STATEMENT, NAME = 58, 40  # characters, at most


def shortened(text: str, room: int) -> str:
    """The text without its middle, where it must."""
    tail = room // 3
    return text if len(text) <= room else f"{text[: room - tail - 1]}\N{HORIZONTAL ELLIPSIS}{text[-tail:]}"


def begun(statement: str) -> str:
    """A statement, or as much of its beginning as there is room for."""
    return statement if len(statement) <= STATEMENT else f"{statement[: STATEMENT - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def waits(hop: Hop, spot: Spot) -> str:
    """What a thread waits for at the end. In a loop, a lock is held and free by turns."""
    words = f"waits for {hop.wants or spot.statement}"
    if hop.role == "starved":
        return f"{words}, for ever"
    return f"{words}, held by {' and '.join(hop.by)}" if hop.kind == "lock" and hop.by else words


def place_words(place: str) -> tuple[Piece, ...]:
    """Whose code it is, the function before its file."""
    file, _, function = place.rpartition(":")
    pieces = (Piece(shortened(function, NAME), "function"),)
    return (*pieces, Piece(shortened(file, NAME), "dim")) if file else pieces
