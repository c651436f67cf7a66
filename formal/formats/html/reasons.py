"""A witness's `why` in lines, each with the steps that it speaks of.

In: a witness. Out: `Line`s of pieces; a piece is words, code, or the number of a step that a reader can go to. Must not judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import normpath
from typing import assert_never

from formal.verdict import Evidence, Fact, Hop, Loop, Owed, Spot, Witness

_ROLES = {
    "cycle": "in the cycle",
    "stuck": "stuck",
    "needed": "needed, and never comes",
    "hangs": "hangs on these",
    "starved": "starved",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """`step`: the words are a link to that step."""

    text: str
    code: bool = False
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """`head`: what kind of reason it is, in a word or two."""

    head: str
    pieces: tuple[Piece, ...]


def reasons(witness: Witness) -> tuple[Line, ...]:
    """One line for each, in the witness's order."""
    return tuple(_line(why) for why in witness.why)


def _line(why: Evidence) -> Line:
    match why:
        case Fact():
            since = (Piece(", from the start"),) if why.step is None else (Piece(", since "), _step(why.step))
            return Line("value", (Piece(why.what, code=True), Piece(" is "), Piece(why.value, code=True), *since))
        case Hop():
            return Line(_ROLES.get(why.role, why.role), tuple(_hop(why)))
        case Owed():
            return Line("owed", tuple(_owed(why)))
        case Loop():
            steps = (Piece("steps "), _step(why.first, bare=True), Piece(" to "), _step(why.last, bare=True))
            return Line(
                "for ever",
                (
                    *steps,
                    Piece(" repeat; only "),
                    Piece(" and ".join(why.movers), code=True),
                    Piece(f" {'moves' if len(why.movers) == 1 else 'move'} in them"),
                ),
            )
        case _:
            assert_never(why)


def _step(number: int, *, bare: bool = False) -> Piece:
    return Piece(f"{number}" if bare else f"step {number}", step=number)


def _owed(why: Owed) -> Iterator[Piece]:
    if why.trigger:
        yield Piece(why.trigger, code=True)
        yield Piece(" held at the start" if why.since is None else " held after ")
        if why.since is not None:
            yield _step(why.since)
        yield Piece("; since then ")
    yield Piece(why.goal, code=True)
    yield Piece(" has never held")


def _hop(why: Hop) -> Iterator[Piece]:
    yield Piece(why.thread, code=True)
    others = " or ".join(why.by)
    if why.kind == "spawn":
        yield Piece(" is not there: only ")
        yield Piece(others or "nobody", code=bool(others))
        yield Piece(" could spawn it")
        return
    yield Piece(" waits for ")
    yield Piece(why.wants or f"its {why.kind}", code=bool(why.wants))
    yield from _spot(why.spot)
    if why.role == "starved":
        yield Piece(", which ")
        yield Piece(" and ".join(why.by) or "others", code=bool(why.by))
        yield Piece(" may have before it")
    elif why.kind == "lock":
        yield Piece(", which ")
        yield Piece(" and ".join(why.by) or "nobody", code=bool(why.by))
        yield Piece(" holds")
    elif others:
        yield Piece(", which only ")
        yield Piece(others, code=True)
        yield Piece(" could end")
    if why.since is not None:
        yield Piece(" since ")
        yield _step(why.since)
    if why.able:
        yield Piece("; it could move after ")
        for number, step in enumerate(why.able):
            yield Piece(", " if number else "")
            yield _step(step, bare=bool(number))


def _spot(spot: Spot | None) -> Iterator[Piece]:
    if spot is None:
        return
    yield Piece(" at ")
    yield Piece(spot.statement, code=True)
    where = f"{normpath(spot.source.file)}:{spot.source.line}"
    yield Piece(f" ({where}{f', {spot.c_source}' if spot.c_source else ''})")
