"""Several engines at one program, side by side, each in a process of its own.

In: a program, the properties to settle, the engines that take part, a deadline. Out: for each property the first conclusive finding, and
what is known of the others. It must not know what any engine does, nor print. Two engines that contradict each other are never smoothed
over: `Disagreement`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, MappingProxyType
from typing import Protocol, assert_never

from formal.children import Child, Ended, Tell, wait
from formal.diagnostics import InternalError
from formal.engines import AT_ONCE, load_engine
from formal.engines.protocol import Event, Finding, Options, Outline, Progress, Statistics
from formal.program import Program
from formal.verdict import Verdict

_TICK = 0.1  # seconds between looks at the clock and at Ctrl-C
_HEAD_START = 0.3  # seconds of each engine before the next one starts: small questions are settled by then, and need no second process


class Disagreement(InternalError):
    """Two independent ways came to different answers: one of them is wrong."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A conclusive finding and the engine it came from."""

    engine: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the race has come; what a progress line shows. `engines`: name and its last words."""

    engines: tuple[tuple[str, str], ...]
    settled: int
    total: int
    seconds: float


class Watcher(Protocol):
    """Who is told how a run goes. `started`: the engines are at work, there is time for other things; `standing`: every now and then."""

    def started(self) -> None: ...

    def standing(self, standing: Standing) -> None: ...


class Silent:
    """A watcher that looks away."""

    def started(self) -> None:
        """Nothing."""

    def standing(self, standing: Standing) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`covered`: for each open property the steps within which it is not violated, -1 if not even the initial state is known to be fine.
    `reasons`: why each engine gave up, by property. `crashes`: engine and what happened to it."""

    settled: Mapping[str, Settled]
    covered: Mapping[str, int]
    reasons: Mapping[str, tuple[tuple[str, str], ...]]
    crashes: tuple[tuple[str, str], ...]
    statistics: Mapping[str, int | float | str]
    outline: Outline | None
    interrupted: bool
    timed_out: bool


@dataclass(slots=True)
class _Contender:
    """One engine's side of the race. `guest`: it was at work before, and goes on behind it."""

    name: str
    child: Child
    guest: bool = False
    covered: int = -1
    note: str = "starting"
    findings: dict[str, Finding] = field(default_factory=dict)
    given_up: dict[str, int] = field(default_factory=dict)  # property: the steps covered until then
    figures: dict[str, int | float | str] = field(default_factory=dict)


def race(
    program: Program,
    options: Options,
    engines: Sequence[str],
    *,
    jobs: int | None = None,
    deadline: float | None = None,
    linger: float = 0.0,
    beside: Mapping[str, Child] = MappingProxyType({}),
    watcher: Watcher | None = None,
) -> Outcome:
    """Run the engines until every property of `options` is settled or nothing more can be had.

    `jobs`: how many engines at once (None: one a processor, and two at least; the others start when one of those gives up); `deadline`: of
    time.monotonic(); `linger`: seconds that the winners have, when all is settled, to tell their figures; `beside`: engines that are at
    work already, are heard, and are left alone at the end.
    Raises Disagreement.
    """
    return _Race(program, options, engines, jobs or max(2, os.cpu_count() or 1), beside).run(deadline, linger, watcher or Silent())


class _Race:
    def __init__(self, program: Program, options: Options, engines: Sequence[str], jobs: int, beside: Mapping[str, Child]) -> None:
        self.program = program
        self.options = options
        self.queue = list(engines)
        self.jobs = jobs
        self.begun = time.monotonic()
        self.contenders = [_Contender(name, child, guest=True) for name, child in beside.items()]
        self.settled: dict[str, Settled] = {}
        self.crashes: list[tuple[str, str]] = []
        self.outline: Outline | None = None
        self.kinds = {prop.name: prop.kind for prop in program.properties if prop.name in options.properties}

    def run(self, deadline: float | None, linger: float, watcher: Watcher) -> Outcome:
        timed_out = False
        with interrupts() as interrupted:
            try:
                self._load()
                self._fill()
                watcher.started()
                while self._open() and self._working() and not interrupted:
                    timed_out = deadline is not None and time.monotonic() >= deadline
                    if timed_out:
                        break
                    self._hear(min(_TICK, deadline - time.monotonic()) if deadline is not None else _TICK)
                    self._fill()
                    watcher.standing(self._standing())
                if not self._open():
                    self._linger(time.monotonic() + linger)
            finally:
                for contender in self._own():
                    contender.child.end()
        return self._outcome(bool(interrupted), timed_out)

    def _linger(self, end: float) -> None:
        winners = {settled.engine for settled in self.settled.values()}
        children = [contender.child for contender in self.contenders if contender.name in winners]
        while any(not child.ended for child in children) and time.monotonic() < end:
            self._hear(_TICK)

    def _open(self) -> tuple[str, ...]:
        return tuple(name for name in self.options.properties if name not in self.settled)

    def _own(self) -> list[_Contender]:
        return [contender for contender in self.contenders if not contender.guest]

    def _working(self) -> list[Child]:
        return [contender.child for contender in self.contenders if not contender.child.ended]

    def _load(self) -> None:
        """Load the engines that start now once, instead of in each of their processes."""
        for name in self.queue[: self.jobs]:
            load_engine(name)
            if name not in AT_ONCE:
                break

    def _fill(self) -> None:
        """Start engines while there is room and something left to settle. A late starter is asked about all: its findings are compared."""
        while self.queue and self._open() and self._room():
            name = self.queue.pop(0)
            child = Child(_work(name, self.program, self.options), self._working())
            self.contenders.append(_Contender(name, child))

    def _room(self) -> bool:
        own = self._own()
        working = sum(not contender.child.ended for contender in own)
        ahead = time.monotonic() - self.begun < _HEAD_START * sum(contender.name not in AT_ONCE for contender in own)
        return working < self.jobs and not (working and ahead)

    def _hear(self, seconds: float) -> None:
        ready = set(map(id, wait(self._working(), seconds)))
        for contender in self.contenders:
            if id(contender.child) in ready:
                for event in contender.child.receive():
                    self._take(contender, event)

    def _take(self, contender: _Contender, event: Event | Ended) -> None:
        match event:
            case Finding():
                self._find(contender, event)
            case Progress(depth=depth, note=note):
                contender.note = f"depth {depth}" + (f", {note}" if note else "")
                self._cover(contender, depth)
            case Statistics(figures=figures):
                contender.figures.update(figures)
            case Outline():
                self.outline = event
            case Ended(crash=crash):
                contender.note = "ended"
                if crash is not None:
                    self.crashes.append((contender.name, crash))
            case _:
                assert_never(event)

    def _find(self, contender: _Contender, finding: Finding) -> None:
        if finding.prop not in self.kinds:
            return  # of a guest, who was asked about more
        contender.findings[finding.prop] = finding
        if not self._conclusive(finding):
            contender.given_up[finding.prop] = contender.covered if finding.depth is None else finding.depth
            return
        first = self.settled.setdefault(finding.prop, Settled(contender.name, finding))
        if first.engine != contender.name:
            exact = self.kinds[finding.prop] != "liveness" and first.finding.shortest and finding.shortest
            _compare(first, Settled(contender.name, finding), exact=exact)
        if finding.verdict is Verdict.VIOLATED and finding.depth is not None:
            for other in self.contenders:
                self._check_cover(other, Settled(contender.name, finding))

    def _conclusive(self, finding: Finding) -> bool:
        if finding.verdict is Verdict.PROVED_UP_TO:
            return self.options.depth is not None and finding.depth is not None and finding.depth >= self.options.depth
        return finding.verdict is not Verdict.UNDECIDED

    def _cover(self, contender: _Contender, depth: int) -> None:
        contender.covered = max(contender.covered, depth)
        for settled in self.settled.values():
            if settled.finding.verdict is Verdict.VIOLATED:
                self._check_cover(contender, settled)

    def _check_cover(self, contender: _Contender, settled: Settled) -> None:
        """An engine that says `nothing open is violated within k steps` contradicts one that has a shorter violation."""
        finding = settled.finding
        depth = finding.depth if finding.depth is not None else contender.covered + 1
        silent = finding.prop not in contender.findings and self.kinds[finding.prop] != "liveness"
        if silent and contender.name != settled.engine and depth <= contender.covered:
            raise Disagreement(
                f"{finding.prop}: {settled.engine} says violated after {depth} steps, "
                f"{contender.name} says that nothing open is violated within {contender.covered}"
            )

    def _standing(self) -> Standing:
        notes = tuple((contender.name, contender.note) for contender in self.contenders)
        return Standing(notes, len(self.settled), len(self.options.properties), time.monotonic() - self.begun)

    def _outcome(self, interrupted: bool, timed_out: bool) -> Outcome:
        reasons = {name: tuple(self._reasons(name)) for name in self._open()}
        covered = {name: max((one.given_up.get(name, one.covered) for one in self.contenders), default=-1) for name in self._open()}
        figures = {f"{contender.name}.{name}": value for contender in self.contenders for name, value in contender.figures.items()}
        return Outcome(self.settled, covered, reasons, tuple(self.crashes), figures, self.outline, interrupted, timed_out)

    def _reasons(self, name: str) -> Iterator[tuple[str, str]]:
        for contender in self.contenders:
            finding = contender.findings.get(name)
            if finding is not None:
                yield contender.name, finding.reason


def _compare(first: Settled, second: Settled, *, exact: bool) -> None:
    """Two conclusive findings for one property must agree; `exact`: the lengths of their shortest violations, too."""
    one, two = first.finding, second.finding
    match one.verdict, two.verdict:
        case (Verdict.VIOLATED, Verdict.VIOLATED):
            agree = not exact or one.depth == two.depth
        case (Verdict.VIOLATED, _) | (_, Verdict.VIOLATED):
            agree = False
        case _:  # proved and proved_up_to say different things, but not contradictory ones
            agree = True
    if not agree:
        sides = " and ".join(_side(settled) for settled in (first, second))
        raise Disagreement(f"{one.prop}: {sides}")


def _side(settled: Settled) -> str:
    finding = settled.finding
    steps = "" if finding.depth is None else f" ({finding.depth} steps)"
    return f"{settled.engine} says {finding.verdict.replace('_', ' ')}{steps}: {finding.reason or 'no reason given'}"


def _work(name: str, program: Program, options: Options) -> Callable[[Tell], None]:
    def work(tell: Tell) -> None:
        load_engine(name)(program, options, tell)

    return work


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Ctrl-C, noted in the list instead of raised, so that what was found is not lost half-way. A second one is raised."""
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
