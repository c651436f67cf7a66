"""The timeline as numbers for an SVG: rows, bars, ticks.

In: an account's phrases and a timeline. Out: a `Chart`. Positions along time are percents of the log's span, so that the drawing can be as
wide as one likes; heights are pixels. Each thread has a lane for the BQL and a lower one for all other locks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from formal.logs.account import Account, Lock
from formal.logs.timeline import OTHER, Stretch, Timeline
from formal.logs.wording import Wording, duration

ROW: Final = 40  # pixels from one thread to the next
LANES: Final = ((4, 18), (25, 9))  # top and height, the BQL's and the others'
ZOOMS: Final = (1, 4, 16, 64)
TICKS: Final = 8  # at zoom 1
COLOURS: Final = 6  # locks with a colour of their own


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch. `x`, `wide`: percent; `colour`: a class."""

    x: str
    wide: str
    y: int
    high: int
    kind: str
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Filling:
    """How much of each slice is filled: a path in a box of `slices` by 1."""

    y: int
    high: int
    kind: str
    colour: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment on the axis. `zoom`: from which zoom on it is shown."""

    x: str
    text: str
    zoom: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn. `slice`: how long one is, if there were too many stretches to draw each; `slices`: how many there are."""

    rows: tuple[tuple[str, int], ...]
    height: int
    bars: tuple[Bar, ...]
    fillings: tuple[Filling, ...]
    ticks: tuple[Tick, ...]
    legend: tuple[tuple[str, str], ...]
    count: int
    slice: str
    slices: str


def chart(words: Wording, timeline: Timeline) -> Chart:
    """The drawing of one log. Coroutines with mutexes of their own are left to the tables."""
    account = words.account
    rows = {thread.who: number * ROW for number, thread in enumerate(account.threads)}
    colours = _colours(account)
    exact = timeline.stretches is not None
    bars = [_bar(words, one, rows, colours) for one in timeline.stretches or () if isinstance(one.who, int)]
    fillings = [] if exact else _fillings(words, timeline, rows, colours)
    return Chart(
        rows=tuple((words.who(who), y) for who, y in rows.items()),
        height=len(rows) * ROW,
        bars=tuple(bars),
        fillings=tuple(fillings),
        ticks=tuple(_ticks(account.span)),
        legend=tuple((words.lock(lock), colour) for lock, colour in colours.items()),
        count=timeline.count,
        slice="" if exact else duration(timeline.width),
        slices=f"{max(account.span, 1) / timeline.width:.3f}",
    )


def _colours(account: Account) -> dict[str, str]:
    """A class for the BQL, and for those locks that were most waited for, or else most held."""
    others = sorted((lock for lock in account.locks if lock is not account.bql and not lock.coroutines), key=_weight, reverse=True)
    first = [account.bql] if account.bql else []
    return {lock.address: f"l{number}" for number, lock in enumerate((*first, *others)[:COLOURS])}


def _weight(lock: Lock) -> tuple[int, int]:
    return lock.waited.time, lock.held.time


def _lane(account: Account, lock: str) -> tuple[int, int]:
    return LANES[account.bql is not None and lock != account.bql.address]


def _bar(words: Wording, one: Stretch, rows: dict[int, int], colours: dict[str, str]) -> Bar:
    assert isinstance(one.who, int)
    span = max(words.account.span, 1)
    top, high = _lane(words.account, one.lock)
    begin = f"from {words.where(one.first)}"
    end = "the end of the log" if one.last is None else words.where(one.last)
    verb = "has" if one.kind == "held" else "waits for"
    title = f"{words.who(one.who)} {verb} {words.lock(one.lock)} for {duration(one.end - one.start)}, {begin} to {end}"
    x, wide = f"{100 * one.start / span:.4f}%", f"{100 * (one.end - one.start) / span:.4f}%"
    return Bar(x, wide, rows[one.who] + top, high, one.kind, colours.get(one.lock, "other"), title)


def _fillings(words: Wording, timeline: Timeline, rows: dict[int, int], colours: dict[str, str]) -> list[Filling]:
    """Slices of locks without a colour of their own are put together."""
    together: dict[tuple[int, tuple[int, int], str, str, str], dict[int, int]] = {}
    for (who, lock, kind), slices in timeline.filled.items():
        if isinstance(who, int):
            name = words.lock(lock) if lock in colours else "other locks"
            row = together.setdefault((who, _lane(words.account, lock or OTHER), kind, colours.get(lock, "other"), name), {})
            for number, amount in slices.items():
                row[number] = row.get(number, 0) + amount
    found = []
    for (who, (top, high), kind, colour, name), row in together.items():
        verb = "has" if kind == "held" else "waits for"
        path = "".join(_column(number, amount / timeline.width, kind) for number, amount in sorted(row.items()))
        title = f"{words.who(who)} {verb} {name}, in all {duration(sum(row.values()))}"
        found.append(Filling(rows[who] + top, high, kind, colour, path, title))
    return found


def _column(number: int, part: float, kind: str) -> str:
    """A slice of which that part is filled: holds stand on the lane's floor, waits hang from its ceiling. The least is a twentieth."""
    high = min(max(part, 0.05), 1)
    return f"M{number} 1v-{high:.2f}h1v{high:.2f}z" if kind == "held" else f"M{number} 0v{high:.2f}h1v-{high:.2f}z"


def _ticks(span: int) -> list[Tick]:
    """Round moments, for each zoom enough of them."""
    found: dict[int, Tick] = {}
    for zoom in ZOOMS:
        step = _round(max(span, 1) / (TICKS * zoom))
        for moment in range(0, span + 1, step):
            found.setdefault(moment, Tick(f"{100 * moment / max(span, 1):.4f}%", _moment(moment), zoom))
    return [found[moment] for moment in sorted(found)]


def _moment(microseconds: int) -> str:
    """`1.5 ms`: no digits that say nothing."""
    size, unit = (1, "µs") if microseconds < 1000 else (1000, "ms") if microseconds < 1_000_000 else (1_000_000, "s")
    return f"{microseconds / size:.9g} {unit}" if microseconds else "0"


def _round(rough: float) -> int:
    """The next of 1, 2, 5, 10, 20, … microseconds."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if step >= rough:
                return step
        power *= 10
