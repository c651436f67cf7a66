"""Sweeps: which points there are, and what is known of each.

In: the NAME=VALUE words of -D, where a value may be several: `1..16`, `1,2,4,8`, `1,2,4..8`, `false..true`. Out: the points, in order, the
last name changing fastest. It must not know which values a model takes: a point that it refuses is a point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, TypeAlias

from formal.verdict import Report, Verdict

MOST: Final = 1024  # points of one sweep
_RANGE: Final = re.compile(r"\s*(\S*?)\s*\.\.\s*(\S*)\s*")
_OPEN: Final = re.compile(r"\s*(-?[0-9]{1,9})\s*\.\.\s*\*\s*")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")

State: TypeAlias = Literal["proved", "proved_up_to", "violated", "undecided", "refused", "interrupted", "lost"]


class SweepError(Exception):
    """The words of -D name no points. `hint` says what would."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter that is swept: its name, the word that said so, its values as -D spells them."""

    name: str
    word: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """What became of one point of one model. `values`: of the axes, in order; `report`: of the proof, if there was one; `problems`: lines
    that say why it was refused by the model, or lost with its process."""

    file: str
    values: tuple[str, ...]
    state: State
    report: Report | None = None
    problems: tuple[str, ...] = ()

    @property
    def seconds(self) -> float | None:
        """What the proof took now."""
        return None if self.report is None else self.report.seconds

    @property
    def then(self) -> float | None:
        """What the verdict took when it was found, where all of it comes from the cache; else None."""
        found = [] if self.report is None else [result.then for result in self.report.properties]
        known = [one for one in found if one is not None]
        return max(known) if known and len(known) == len(found) else None

    @property
    def cost(self) -> float | None:
        """Seconds that it takes to find the verdict."""
        return self.seconds if self.then is None else self.then

    @property
    def states(self) -> int | None:
        """States looked at, as far as an engine that counts them has told."""
        told = None if self.report is None else self.report.statistics.get("explicit.states")
        return told if isinstance(told, int) else None


def is_sweep(words: Iterable[str]) -> bool:
    """Whether one of the NAME=VALUE words has several values."""
    values = [word.partition("=")[2] for word in words]
    return any("," in value or (".." in value and _OPEN.fullmatch(value) is None) for value in values)


def unbounded(defines: Mapping[str, str]) -> dict[str, int]:
    """The names whose value is LO..*, every whole number from LO on, with their LO."""
    found = ((name, _OPEN.fullmatch(value)) for name, value in defines.items())
    return {name: int(match.group(1)) for name, match in found if match is not None}


def read_axes(defines: Mapping[str, str]) -> tuple[dict[str, str], tuple[Axis, ...]]:
    """What is the same at all points, and what is swept. Raises SweepError."""
    fixed = {name: value for name, value in defines.items() if not is_sweep([f"={value}"])}
    axes = tuple(Axis(name, value, _values(name, value)) for name, value in defines.items() if name not in fixed)
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MOST:
        raise SweepError(f"{count} points; the limit is {MOST}", "sweep fewer values, or one name at a time")
    return fixed, axes


def combinations(axes: Sequence[Axis]) -> tuple[tuple[str, ...], ...]:
    """The values of the axes at each point."""
    return tuple(product(*(axis.values for axis in axes)))


def _values(name: str, word: str) -> tuple[str, ...]:
    found: list[str] = []
    for part in word.split(","):
        limits = _RANGE.fullmatch(part)
        found += _range(name, part.strip(), *limits.groups()) if limits is not None else [part.strip()]
        if len(found) > MOST:
            raise SweepError(f"-D {name}={word}: more than {MOST} values", "sweep fewer")
    if "" in found:
        raise SweepError(f"-D {name}={word}: a value is missing", f"for example -D {name}=1,2,4 or -D {name}=1..4")
    return tuple(dict.fromkeys(found))


def _range(name: str, part: str, first: str, last: str) -> list[str]:
    if (first, last) == ("false", "true"):
        return ["false", "true"]
    if not _WHOLE.fullmatch(first) or not _WHOLE.fullmatch(last):
        raise SweepError(f"-D {name}={part}: no range of whole numbers", "a range is LO..HI, or false..true; list others: A,B,C")
    low, high = int(first), int(last)
    if low > high:
        raise SweepError(f"-D {name}={part}: an empty range", f"it goes upwards: {high}..{low}")
    return [str(value) for value in range(low, min(high, low + MOST) + 1)]


def counts(points: Sequence[Point]) -> str:
    """How many there are of each kind: "3 proved, 1 refused"."""
    order = (*(verdict.value for verdict in Verdict), "refused", "interrupted", "lost")
    found = ((sum(point.state == state for point in points), state.replace("_", " ")) for state in order)
    return ", ".join(f"{count} {state}" for count, state in found if count)
