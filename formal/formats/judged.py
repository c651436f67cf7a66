"""What `formal regress` found, in words: a line for each model, the counts, and what took longest.

In: how each model and record fared. Out: lines of text. It must not know how models are judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

AS_RECORDED = "as recorded"
CACHED = "cached"
INTERRUPTED = "interrupted"  # not looked at, or not to its end
_SLOWEST = 3


class Judged(Protocol):
    """How one model, or one record, fared. `record`: the file, if there is one; `how`: the way in which the verdict was found."""

    @property
    def file(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def problems(self) -> tuple[str, ...]: ...
    @property
    def how(self) -> str: ...
    @property
    def record(self) -> str | None: ...


def in_words(row: Judged) -> str:
    """Its verdict, what was expected instead, and how it was found."""
    expected = f", expected {row.expected}" if row.state in ("differs", "internal error") and row.expected else ""
    return row.verdict + expected + (f" ({row.how})" if row.how and (row.record is not None or row.how == CACHED) else "")


def line(row: Judged, width: int) -> str:
    """One row, its file padded to the width; below it, indented, in what it differs."""
    told = f"{row.file:<{width}}  {row.state:<12} {row.seconds:7.2f} s  {in_words(row)}"
    return "\n".join([told, *(f"    {part}" for problem in row.problems for part in problem.splitlines())])


def counts(rows: Sequence[Judged], states: Sequence[str], skipped: int, seconds: float) -> str:
    """How many there are of each of the states."""
    found = ", ".join(f"{count} {state}" for state in states if (count := sum(row.state == state for row in rows)))
    alone = sum(row.file == row.record for row in rows)
    files = "file" if skipped == 1 else "files"
    what = _counted(len(rows) - alone, "model") + (f" and {_counted(alone, 'record')}" if alone else "")
    return f"{what}: {found}; {skipped} {files} without a `protocol` skipped; {seconds:.2f} s"


def slowest(rows: Sequence[Judged]) -> str | None:
    """Those that took longest, where there are so many that one asks."""
    if len(rows) <= _SLOWEST:
        return None
    longest = sorted(rows, key=lambda row: -row.seconds)[:_SLOWEST]
    return "\n".join(["slowest:", *(f"  {row.seconds:7.2f} s  {row.file}" for row in longest)])


def wrong(rows: Sequence[Judged]) -> str | None:
    """Which are not as recorded, of those that were looked at."""
    found = [row.file for row in rows if row.state not in (AS_RECORDED, INTERRUPTED)]
    return "not as recorded: " + ", ".join(found) if found else None


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
