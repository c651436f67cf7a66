"""When locks were held and waited for, to be drawn.

In: holds and waits, in the order of their ends. Out: the stretches themselves as long as there are few; beyond that, how much of each
slice of time they fill, in slices that widen as the log goes on. Either way it is small, however long the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from formal.logs.account import At, Who

MOST: Final = 2500  # stretches that are drawn one by one
SLICES: Final = 1200
ROWS: Final = 400  # pairs of a thread and a lock that are told apart in slices
OTHER: Final = ""  # the lock that all others are counted as


@dataclass(frozen=True, slots=True)
class Stretch:
    """A lock held ("held") or waited for ("waited"). Times in microseconds since the log began; `first`, `last`: the two lines, as far as
    they are in the log."""

    kind: str
    who: Who
    lock: str
    start: int
    end: int
    first: At | None
    last: At | None


class Timeline:
    """Stretches or slices. `stretches` is None once there were too many: `filled` then has microseconds by (who, lock, kind) and slice."""

    def __init__(self, most: int = MOST, slices: int = SLICES) -> None:
        self._most = most
        self._slices = slices
        self.count = 0
        self.stretches: list[Stretch] | None = []
        self.width = 1
        self.filled: dict[tuple[Who, str, str], dict[int, int]] = {}

    def add(self, stretch: Stretch) -> None:
        """One more."""
        self.count += 1
        if self.stretches is not None:
            self.stretches.append(stretch)
            if len(self.stretches) > self._most:
                waiting, self.stretches = self.stretches, None
                for one in waiting:
                    self._fill(one)
            return
        self._fill(stretch)

    def _fill(self, stretch: Stretch) -> None:
        while stretch.end >= self.width * self._slices:
            self._widen()
        key = (stretch.who, stretch.lock, stretch.kind)
        if key not in self.filled and len(self.filled) >= ROWS:
            key = (stretch.who, OTHER, stretch.kind)
        row = self.filled.setdefault(key, {})
        for number in range(stretch.start // self.width, stretch.end // self.width + 1):
            begin = number * self.width
            part = min(stretch.end, begin + self.width) - max(stretch.start, begin)
            row[number] = row.get(number, 0) + max(part, 0)

    def _widen(self) -> None:
        self.width *= 2
        for row in self.filled.values():
            merged: dict[int, int] = {}
            for number, amount in row.items():
                merged[number // 2] = merged.get(number // 2, 0) + amount
            row.clear()
            row.update(merged)
