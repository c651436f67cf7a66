"""What the steps of a witness do to locks, bottom halves, semaphores and threads, read off their changes.

In: a witness. Out: spans of steps (who held what from when to when) and links (scheduled here, run there). Steps count from 1; a span that
starts at 0 was there before the first step, one that ends at None lasts beyond the last. Must not know how any of it is drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from formal.verdict import ViewValue, Witness, WitnessStep

NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Hold:
    """One thread has one lock, as an owner or writer, or as a reader."""

    thread: str
    lock: str
    reading: bool
    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Something put down by one thread and taken up by another: a bottom half (scheduled, run) or a semaphore's unit (posted, waited for).
    `end` and `target` are None while nobody has taken it."""

    kind: str  # "bh" or "sem"
    name: str
    start: int
    source: str
    end: int | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A thread inside of a bottom half's body: `start` is the poll that took it, `end` the thread's last step in it."""

    thread: str
    name: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Spawn:
    step: int
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step does to others, in a word or two. `lock`: whose colour it has."""

    text: str
    lock: str | None = None


@dataclass(slots=True)
class Happenings:
    """`locks`: those that somebody held, in order of first taking. `effects`: by step."""

    holds: list[Hold] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    spawns: list[Spawn] = field(default_factory=list)
    finished: dict[str, int] = field(default_factory=dict)
    effects: dict[int, list[Effect]] = field(default_factory=dict)

    @property
    def locks(self) -> tuple[str, ...]:
        """In order of first taking."""
        return tuple(dict.fromkeys(hold.lock for hold in sorted(self.holds, key=lambda one: one.start)))


def happenings(witness: Witness, initial: Mapping[str, ViewValue]) -> Happenings:
    """All of them. `initial`: the state before the first step."""
    reader = _Reader(initial)
    for step in witness.steps:
        reader.step(step)
    found = reader.found
    found.holds += reader.open.values()
    found.links += [unit for units in reader.bottom_halves.values() for unit in units if unit is not None]
    found.holds.sort(key=lambda one: one.start)
    found.links.sort(key=lambda one: one.start)
    found.runs += _runs(witness, found.links)
    return found


class _Reader:
    """One pass over the steps. `open`: holds that have not ended; the queues: units that nobody has taken, the oldest first, None for one
    that was there before the first step."""

    def __init__(self, initial: Mapping[str, ViewValue]) -> None:
        self.found = Happenings()
        self.threads = {key.removesuffix(".status") for key in initial if key.endswith(".status")}
        self.mutexes = {key.removesuffix(".owner") for key in initial if key.endswith(".owner")} - self.threads
        self.open: dict[tuple[str, str, bool], Hold] = {}
        self.bottom_halves: dict[str, deque[Link | None]] = {}
        self.semaphores: dict[str, deque[Link | None]] = {}
        for key, value in initial.items():
            self._start(key, value)

    def _start(self, key: str, value: ViewValue) -> None:
        base, _, kind = key.rpartition(".")
        if base in self.threads or "/" in base:
            return
        for name in _holders(value) if kind in ("owner", "writer", "readers") else ():
            self.open[name, base, kind == "readers"] = Hold(name, base, kind == "readers", 0)
        if kind == "pending" or (kind == "count" and base not in self.mutexes):
            queues = self.bottom_halves if kind == "pending" else self.semaphores
            queues[base] = deque([None] * _number(value))

    def step(self, step: WitnessStep) -> None:
        """Take one step in."""
        for key, (before, after) in step.changes.items():
            base, _, kind = key.rpartition(".")
            if "/" in key or not base:
                continue
            if base in self.threads:
                if kind == "status":
                    self._status(step, base, after)
                continue
            self._object(step, base, kind, before, after)

    def _object(self, step: WitnessStep, base: str, kind: str, before: ViewValue | None, after: ViewValue | None) -> None:
        match kind:
            case "owner" | "writer" | "readers":
                self._lock(step, base, before, after, reading=kind == "readers")
            case "count" if base in self.mutexes:
                if _number(before) and _number(after):  # else taking and giving back say it
                    self._effect(step, f"{base} held {_number(after)} times", base)
            case "count":
                self._units(step, "sem", base, _number(after) - _number(before), _number(after))
            case "pending":
                self._units(step, "bh", base, _number(after) - _number(before), _number(after))
            case "set":
                self._effect(step, f"{base} {'set' if after else 'reset'}")
            case "waiters":
                self._waiters(step, base, before, after)
            case _:
                pass

    def _effect(self, step: WitnessStep, text: str, lock: str | None = None) -> None:
        self.found.effects.setdefault(step.step, []).append(Effect(text, lock))

    def _status(self, step: WitnessStep, thread: str, after: ViewValue | None) -> None:
        if after == "running":
            self.found.spawns.append(Spawn(step.step, step.thread, thread))
            self.found.finished.pop(thread, None)
            self._effect(step, f"spawns {thread}")
        elif after == "finished":
            self.found.finished[thread] = step.step
            self._effect(step, "finished")

    def _lock(self, step: WitnessStep, lock: str, before: ViewValue | None, after: ViewValue | None, *, reading: bool) -> None:
        how = " (read)" if reading else ""
        for name in _holders(before):
            if name not in _holders(after):
                hold = self.open.pop((name, lock, reading), Hold(name, lock, reading, 0))
                self.found.holds.append(replace(hold, end=step.step))
                self._effect(step, f"\N{MINUS SIGN}{lock}{how}", lock)
        for name in _holders(after):
            if name not in _holders(before):
                self.open[name, lock, reading] = Hold(name, lock, reading, step.step)
                self._effect(step, f"+{lock}{how}", lock)

    def _units(self, step: WitnessStep, kind: str, name: str, more: int, now: int) -> None:
        queue = (self.semaphores if kind == "sem" else self.bottom_halves).setdefault(name, deque())
        queue.extend(Link(kind, name, step.step, step.thread) for _ in range(more))
        for _ in range(-more):
            unit = queue.popleft() if queue else None
            if unit is not None:
                self.found.links.append(replace(unit, end=step.step, target=step.thread))
        self._effect(step, f"{name} = {now}" if kind == "sem" else f"schedules {name}" if more > 0 else f"runs {name}")

    def _waiters(self, step: WitnessStep, cond: str, before: ViewValue | None, after: ViewValue | None) -> None:
        for name in _holders(after):
            if name not in _holders(before):
                self._effect(step, f"waits on {cond}")
        for name in _holders(before):
            if name not in _holders(after):
                self._effect(step, f"{cond} wakes {name}")


def _holders(value: ViewValue | None) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) and value != NOBODY else ()


def _number(value: ViewValue | None) -> int:
    """A count; a flag counts as one."""
    return int(value) if isinstance(value, int) else 0


def _runs(witness: Witness, links: list[Link]) -> list[Run]:
    """How long each bottom half that was taken kept its thread: as long as its frame stays where the poll has put it."""
    runs = []
    for link in links:
        if link.kind != "bh" or link.end is None or link.target is None:
            continue
        depth = len(witness.steps[link.end - 1].stack)
        last, left = link.end, False
        for step in witness.steps[link.end :]:
            if step.thread == link.target:
                left = step.stack[depth : depth + 1] != (link.name,)
                if left:
                    break
                last = step.step
        runs.append(Run(link.target, link.name, link.end, last if left or last == link.end else None))
    return runs
