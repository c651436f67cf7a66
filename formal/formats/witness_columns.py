"""A column for each thread, in whatever room there is.

In: names and a width. Out: where each column begins, and heads. Must not know what stands in them.

The heads stand in one line if that leaves enough room for the last column; else one below the other, in steps, with bars down to the
columns, which can then be narrow. Where even that is too much, there are no columns: each line names its thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_COMFORT = 44  # for the last column, in characters
_ROOM = 30  # the least that it may have
_NARROW, _WIDE = 2, 4  # distances between columns with bars
_MOST = 9  # columns that an eye can follow


@dataclass(frozen=True, slots=True)
class Columns:
    """`offsets`: of each thread's column from `start`; none, if each line names its thread. `stepped`: the heads stand in steps."""

    threads: Sequence[str]
    offsets: Sequence[int]
    stepped: bool
    room: int

    @staticmethod
    def of(threads: Sequence[str], room: int) -> Columns:
        """For these threads, in order, in so many characters."""
        offsets = [sum(len(name) + 2 for name in threads[:place]) for place in range(len(threads))]
        if len(threads) < 2 or room - offsets[-1] >= max(_COMFORT, len(threads[-1])):
            return Columns(threads, offsets, False, room)
        distance = max(_NARROW, min(_WIDE, (room - _COMFORT) // (len(threads) - 1)))
        if len(threads) > _MOST or room - distance * (len(threads) - 1) < _ROOM:
            return Columns(threads, (), False, room)
        return Columns(threads, [distance * place for place in range(len(threads))], True, room)

    @property
    def named(self) -> bool:
        """Whether each line has to name its thread."""
        return not self.offsets

    def lead(self, thread: str) -> str:
        """What stands to the left of a column: blanks, or bars."""
        if self.named:
            return ""
        place = self.threads.index(thread)
        if not self.stepped:
            return " " * self.offsets[place]
        return "".join("|".ljust(after - before) for before, after in zip(self.offsets[:place], self.offsets[1 : place + 1], strict=True))

    def heads(self) -> Iterator[str]:
        """The names above the columns, in one line, or in a line each."""
        if self.named:
            return
        if self.stepped:
            for thread, offset in zip(self.threads, self.offsets, strict=True):
                yield self.lead(thread) + _shortened(thread, self.room - offset)
        else:
            yield "  ".join((*self.threads[:-1], _shortened(self.threads[-1], self.room - self.offsets[-1])))


def _shortened(name: str, room: int) -> str:
    """Without its middle, where it must: the end tells the members of a family apart."""
    tail = room // 2
    return name if len(name) <= room else f"{name[: room - tail - 1]}~{name[-tail:]}"
