"""What stands to the left of the steps: who holds which lock, and a lane for each bottom half.

In: a witness, and which of its steps are drawn. Out: for each step a few characters, their heads, and a legend. Must not know statements.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from formal.formats.witness_locks import Held, Letters, holdings, letters
from formal.verdict import Dispatch, Witness

_NAMES = 16  # characters in which the holdings may be written with names
_CELLS = 24  # ... and with letters, for all threads; else for the one that moves
_LANES = 8
_HEAD = "holds"
PENDING, RUNNING, BOTH = ":", "#", "%"


@dataclass(frozen=True, slots=True)
class Margin:
    """`width`: of what `at` returns, two blanks at its end included, 0 if there is nothing to tell. `heads`: one line above it."""

    _locks: _Locks | None
    _lanes: _Lanes | None

    @staticmethod
    def of(witness: Witness, threads: Sequence[str], shown: Collection[int]) -> Margin:
        """The margin for these steps. `threads`: those that have a column, in order."""
        return Margin(_locks(witness, threads, shown), _lanes(witness, shown))

    @property
    def width(self) -> int:
        """Characters."""
        return sum(len(part) + 2 for part in self._parts(0, ""))

    @property
    def heads(self) -> str:
        """What stands above."""
        told = [] if self._locks is None else [_HEAD.ljust(self._locks.width)]
        if self._lanes is not None:
            told.append("".join(self._lanes.letters.values()))
        return "".join(f"{part}  " for part in told)

    @property
    def legend(self) -> tuple[str, ...]:
        """What the letters and signs stand for, a line each."""
        found = []
        if self._locks is not None:
            found.append(self._locks.legend)
        if self._lanes is not None:
            names = ", ".join(f"{letter} = {body}" for body, letter in self._lanes.letters.items())
            found.append(f"bottom halves ({PENDING} pending, {RUNNING} running): {names}")
        return tuple(found)

    def at(self, number: int, thread: str) -> str:
        """Beside the step of that number (0: before the first), which that thread took."""
        return "".join(f"{part}  " for part in self._parts(number, thread))

    def _parts(self, number: int, thread: str) -> list[str]:
        found = [] if self._locks is None else [self._locks.at(number, thread)]
        return found if self._lanes is None else [*found, self._lanes.at(number)]


# ---------------------------------------------------------------- locks


@dataclass(frozen=True, slots=True)
class _Locks:
    """`cells`: width of each thread's cell; none where only the thread that moves has one, of `single` characters."""

    held: Sequence[Held]
    letters: Letters
    cells: Mapping[str, int]
    single: int
    reads: bool

    @property
    def width(self) -> int:
        return max(len(_HEAD), sum(self.cells.values()) + len(self.cells) - 1 if self.cells else self.single)

    @property
    def legend(self) -> str:
        whose = f"by {', '.join(self.cells)}" if self.cells else "by the thread that moves"
        named = self.letters.legend(self.reads)
        return f"locks held after the step, {whose}{': ' if named else ''}{named}"

    def at(self, number: int, thread: str) -> str:
        held = self.held[number]
        if not self.cells:
            return self.letters.cell(held.get(thread, ())).ljust(self.width)
        return "|".join(self.letters.cell(held.get(one, ())).ljust(width) for one, width in self.cells.items()).ljust(self.width)


def _locks(witness: Witness, threads: Sequence[str], shown: Collection[int]) -> _Locks | None:
    held = holdings(witness)
    relevant = [held[number] for number in sorted({0, *shown})]
    locks = dict.fromkeys(lock for one in relevant for mine in one.values() for lock in mine)
    if not locks:
        return None
    reads = any(read for _, read in locks)
    for chosen, most in ((Letters({}), _NAMES), (letters(name for name, _ in locks), _CELLS)):
        cells = {thread: max(len(chosen.cell(one.get(thread, ()))) for one in relevant) for thread in threads}
        if sum(cells.values()) + len(cells) - 1 <= most:
            return _Locks(held, chosen, cells, 0, reads)
    single = max(cells.values())
    return _Locks(held, chosen, {}, single, reads)


# ---------------------------------------------------------------- bottom halves


@dataclass(frozen=True, slots=True)
class _Lanes:
    """`letters`: of each bottom half that has a lane, in order."""

    dispatches: tuple[Dispatch, ...]
    letters: Mapping[str, str]

    def at(self, number: int) -> str:
        return "".join(self._sign(body, number) for body in self.letters)

    def _sign(self, body: str, number: int) -> str:
        mine = [one for one in self.dispatches if one.body == body]
        pending = any(one.scheduled <= number and (one.dispatched is None or number < one.dispatched) for one in mine)
        running = any(one.dispatched is not None and one.dispatched <= number and (one.ended is None or number < one.ended) for one in mine)
        return BOTH if pending and running else PENDING if pending else RUNNING if running else " "


def _lanes(witness: Witness, shown: Collection[int]) -> _Lanes | None:
    """A lane for each bottom half that is pending or runs at a step that is drawn; none, where they would be too many."""
    empty = _Lanes(witness.dispatches, {})
    bodies = [body for body in dict.fromkeys(one.body for one in witness.dispatches) if any(empty._sign(body, at) != " " for at in shown)]
    if not 0 < len(bodies) <= _LANES:
        return None
    return _Lanes(witness.dispatches, _initials(bodies))


def _initials(bodies: Sequence[str]) -> Mapping[str, str]:
    """A small letter for each, its own first one where that is free."""
    of: dict[str, str] = {}
    for body in bodies:
        of[body] = next(one for one in body.lower() + ascii_lowercase if one in ascii_lowercase and one not in of.values())
    return of
