"""Every value of a witness's states over time, in the groups in which people look for them.

In: a witness. Out: a `Board` of cells; a cell is a timeline, a list of (step, text) that starts at step 0, None while there is no such
value. The state after step n is what each timeline says last at or before n. Must not know how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from posixpath import normpath
from typing import TypeAlias

from formal.formats.html.happenings import Happenings
from formal.formats.witness import show
from formal.verdict import Hop, Spot, ViewValue, Witness, WitnessStep

Timeline: TypeAlias = list[tuple[int, str | None]]
_POSITIONS = (".at", ".stack")
_GROUPS = ("Locks", "Semaphores, events, conditions", "Bottom halves", "Variables", "Of threads and frames")
_KINDS = {"owner": 0, "writer": 0, "readers": 0, "count": 1, "set": 1, "waiters": 1, "pending": 2}


@dataclass(frozen=True, slots=True)
class Cell:
    """`number`: its place among the cells of its board."""

    number: int
    name: str
    timeline: Timeline

    @property
    def last(self) -> tuple[int, str | None]:
        """When it got the value that it has at the end, and that value."""
        return self.timeline[-1]

    @property
    def moves(self) -> bool:
        """Whether it ever changes."""
        return len(self.timeline) > 1


@dataclass(frozen=True, slots=True)
class Group:
    """`moving` cells change somewhere in the run, `still` ones never."""

    title: str
    moving: tuple[Cell, ...]
    still: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ThreadCells:
    """`at`: the statement that it executes next; `stack`: its frames there."""

    name: str
    status: Cell
    holds: Cell
    at: Cell
    stack: Cell


@dataclass(slots=True)
class Board:
    cells: list[Cell] = field(default_factory=list)
    threads: list[ThreadCells] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def add(self, name: str, timeline: Timeline) -> Cell:
        """A new cell. Entries that change nothing are left out."""
        kept = [entry for number, entry in enumerate(timeline) if number == 0 or entry[1] != timeline[number - 1][1]]
        self.cells.append(Cell(len(self.cells), name, kept))
        return self.cells[-1]


def initial_state(witness: Witness) -> dict[str, ViewValue]:
    """The state before the first step. What the witness does not have of it is taken from the changes."""
    state = dict(witness.initial)
    seen: set[str] = set(state)
    for step in witness.steps:
        for key, (before, _) in step.changes.items():
            if key not in seen and before is not None:
                state[key] = before
            seen.add(key)
        if f"{step.thread}.status" not in seen:
            state[f"{step.thread}.status"] = "running"
            seen.add(f"{step.thread}.status")
    return state


def board(witness: Witness, initial: Mapping[str, ViewValue], found: Happenings, *, ends_in_error: bool) -> Board:
    """The cells of a witness. `ends_in_error`: the last step is the violation itself, its thread has not moved on."""
    made = Board()
    histories = _histories(witness, initial)
    threads = [key.removesuffix(".status") for key in histories if key.endswith(".status")]
    for name in threads:
        status = histories[f"{name}.status"]
        stands = _stands(witness, name, status, ends_in_error=ends_in_error)
        made.threads.append(
            ThreadCells(
                name,
                made.add(f"{name}.status", status),
                made.add(f"{name} holds", _holds(name, found, len(witness.steps))),
                made.add(f"{name} stands at", [(step, text) for step, text, _ in stands]),
                made.add(f"{name} stack", [(step, stack) for step, _, stack in stands]),
            )
        )
    sorted_in: list[list[Cell]] = [[] for _ in _GROUPS]
    for key, timeline in histories.items():
        if not key.endswith(".status") or key.removesuffix(".status") not in threads:
            sorted_in[_group(key, histories, threads)].append(made.add(key, timeline))
    for title, cells in zip(_GROUPS, sorted_in, strict=True):
        if cells:
            made.groups.append(Group(title, tuple(c for c in cells if c.moves), tuple(c for c in cells if not c.moves)))
    return made


def _histories(witness: Witness, initial: Mapping[str, ViewValue]) -> dict[str, Timeline]:
    """By key of the view, but for where threads stand."""
    histories: dict[str, Timeline] = {key: [(0, show(value))] for key, value in initial.items() if not key.endswith(_POSITIONS)}
    for step in witness.steps:
        for key, (_, after) in step.changes.items():
            timeline = histories.setdefault(key, [(0, None)])
            timeline.append((step.step, None if after is None else show(after)))
    return histories


def _group(key: str, histories: Mapping[str, Timeline], threads: list[str]) -> int:
    base, _, kind = key.rpartition(".")
    if "/" in key or base in threads:
        return 4
    if kind == "count" and f"{base}.owner" in histories:
        return 0
    return _KINDS[kind] if base and kind in _KINDS else 3


def _holds(thread: str, found: Happenings, length: int) -> Timeline:
    timeline: Timeline = []
    mine = [hold for hold in found.holds if hold.thread == thread]
    for step in range(length + 1):
        held = [hold for hold in mine if hold.start <= step and (hold.end is None or step < hold.end)]
        timeline.append((step, ", ".join(f"{hold.lock}{' (read)' if hold.reading else ''}" for hold in held) or None))
    return timeline


def _stands(witness: Witness, thread: str, status: Timeline, *, ends_in_error: bool) -> list[tuple[int, str | None, str | None]]:
    """After each step, the statement at which the thread stands and its stack there: those of its next step, since nobody else moves it.
    A thread that has no next step stands where the reasons say; where they don't, nothing is known."""
    following = _following(witness, thread, ends_in_error=ends_in_error)
    running = dict(status)
    alive = False
    stands: list[tuple[int, str | None, str | None]] = []
    for number, spot in enumerate(following):
        alive = running[number] == "running" if number in running else alive
        if not alive or spot is None:
            stands.append((number, None, None))
        else:
            place = f"{spot.statement} ({normpath(spot.source.file)}:{spot.source.line})"
            stands.append((number, place, " > ".join(spot.stack)))
    return stands


def _following(witness: Witness, thread: str, *, ends_in_error: bool) -> list[Spot | WitnessStep | None]:
    """For each number of steps made, where the thread stands then. A lasso goes on where it comes back to."""
    steps = witness.steps
    again = () if witness.loop_to is None else steps[witness.loop_to :]
    ahead: Spot | WitnessStep | None = next((step for step in again if step.thread == thread), None)
    if ends_in_error and steps and steps[-1].thread == thread:
        ahead = steps[-1]
    ahead = ahead or next((why.spot for why in witness.why if isinstance(why, Hop) and why.thread == thread), None)
    following = [ahead]
    for step in reversed(steps):
        ahead = step if step.thread == thread else ahead
        following.append(ahead)
    return following[::-1]
