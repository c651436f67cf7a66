"""A witness drawn with one column for each thread, as lock validators draw two CPUs.

In: a witness and a width. Out: a styled text. One line belongs to one thread, so that a line may run on to the right of its column; that is
what lets several threads share eighty columns.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from formal.verdict import ViewValue, Witness, WitnessStep

_MARGIN = 5  # for the step's number
_ROOM = 34  # least width of the last column
_LEAST = 10  # least distance between two columns
_MOST = 24


def draw(witness: Witness, prop: str, width: int) -> Text:
    """The steps, each in its thread's column: the C function where it changed, the statement, and what it changed; last, what is violated.

    Threads that never move have no column. Where the columns would be too narrow, each step is headed by its thread's name instead.
    """
    threads = list(dict.fromkeys(step.thread for step in witness.steps))
    distance = (width - _MARGIN - _ROOM) // max(1, len(threads) - 1) if len(threads) > 1 else 0
    longest = max((len(name) for name in threads), default=0)
    columns = len(threads) == 1 or distance >= _LEAST
    distance = min(distance, max(_LEAST, min(_MOST, longest + 2)))  # what is not needed between the columns serves the last one
    text = Text()
    if columns:
        text.append(_heads(threads, distance, width) + "\n", style="bold")
    where: dict[str, str] = {}
    for step in witness.steps:
        if witness.loop_to is not None and step.step == witness.loop_to + 1:
            text.append("     -- from here on, again and again --\n", style="bold")
        column = _MARGIN + threads.index(step.thread) * distance if columns else _MARGIN
        _step(text, step, column, width, where, named=not columns)
    if witness.loop_to is not None:
        text.append("     -- and back --\n", style="bold")
    else:
        text.append(f"     *** {prop} ***", style="bold red")
    text.rstrip()
    return text


def _heads(threads: Sequence[str], distance: int, width: int) -> str:
    heads = [_short(name, distance - 1).ljust(distance) for name in threads[:-1]]
    return " " * _MARGIN + "".join(heads) + _short(threads[-1], width - _MARGIN - distance * len(heads))


def _short(name: str, room: int) -> str:
    """The name without its middle, where it must: the end tells the members of a family apart."""
    tail = room // 2
    return name if len(name) <= room else f"{name[: room - tail - 1]}~{name[-tail:]}"


def _step(text: Text, step: WitnessStep, column: int, width: int, where: dict[str, str], *, named: bool) -> None:
    place = _place(step)
    if where.get(step.thread, step.thread) != place:
        where[step.thread] = place
        fits = column + len(place) + 2 <= width
        _lines(text, f"[{place if fits else place.replace(':', ': ')}]", column, width, "dim")
    statement = f"{step.thread}: {step.statement}" if named else step.statement
    first = True
    for line in _wrapped(statement, column, width):
        number = f"{step.step:>{_MARGIN - 2}}  " if first else " " * _MARGIN
        text.append(number, style="dim")
        text.append(" " * (column - _MARGIN) + line + "\n")
        first = False
    for change in _changes(step.changes):
        _lines(text, change, column + 2, width, "cyan")


def _place(step: WitnessStep) -> str:
    """Whose code it is: the C function, else the innermost body."""
    return step.c_source or (step.stack[-1] if step.stack else step.thread)


def _changes(changes: Mapping[str, tuple[ViewValue | None, ViewValue | None]]) -> Iterator[str]:
    for key, (before, after) in changes.items():
        if after is None:
            continue  # a local that went out of scope
        name = key.partition("/")[2].partition(".")[2] or key  # a local's key starts with its frame
        yield f"{name} = {show(after)}" if before is None else f"{name}: {show(before)} -> {show(after)}"


def show(value: ViewValue) -> str:
    """One value of a view."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return "{" + ", ".join(value) + "}"
        case _:
            return str(value)


def _lines(text: Text, content: str, column: int, width: int, style: str) -> None:
    for line in _wrapped(content, column, width):
        text.append(" " * column + line + "\n", style=style)


def _wrapped(content: str, column: int, width: int) -> list[str]:
    return textwrap.wrap(content, max(16, width - column), subsequent_indent="    ", break_on_hyphens=False) or [""]
