"""A bounded search in shares: cubes, one for each order in which threads can make the first moves.

In: a program, options with a depth, a crew. Out: an `Outcome`, with the verdicts, depths and fewest context switches that the search has in
one piece. First the search is done in one piece, until a question takes long (`HARD`); then in all cubes, some depths at a time. When a
violation is found, cubes that have not begun look no deeper than that. It must not know how states are encoded, nor who works.

Splitting a search by what comes first, and giving the parts to many: Böhm and Speckenmeyer (1996); "cubes" are from cube-and-conquer, Heule
and others (2011). Bounding by context switches: Qadeer and Rehof (2005); here all are looked at, so that nothing is left out.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Final, TypeAlias

from formal.engines import bmc
from formal.engines.bmc import Share
from formal.engines.encoding import TOO_LARGE
from formal.engines.protocol import Event, Finding, Options, Progress
from formal.executor.calls import Lost
from formal.executor.crew import Crew, gather
from formal.program import Program
from formal.race import Outcome, Settled, Standing, Watcher, interrupts
from formal.verdict import Verdict, context_switches

HARD: Final = 5.0  # seconds for a question after which it is split
STRIDE: Final = 4  # depths in one go: each is built anew
MOST_CUBES: Final = 256
ENGINE: Final = "bmc"

Cube: TypeAlias = tuple[int, ...]  # threads, in the order of their first moves
Rank: TypeAlias = tuple[int, int, Cube]  # of a violation: its steps, its context switches, where it was found
Say: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """What one call found. `covered`: steps within which nothing is violated that is not in `findings`; `seconds`: of processor
    time."""

    findings: tuple[Finding, ...]
    covered: int
    seconds: float


class _Enough(Exception):
    """Time is up, or Ctrl-C."""


def cubes(program: Program, switches: int) -> list[Cube]:
    """All orders of the first movers up to so many context switches, or fewer if that is too many. Every execution is in one of them: if it
    has fewer switches, in several. Of a single thread there is one, which says nothing."""
    threads = range(len(program.threads))
    found: list[Cube] = [(thread,) for thread in threads if thread not in program.spawned]
    if len(threads) == 1 or not found:
        return [()]
    for _ in range(switches):
        longer = [(*cube, thread) for cube in found for thread in threads if thread != cube[-1]]
        if len(longer) > MOST_CUBES:
            break
        found = longer
    return found


def look(program: Program, options: Options, share: Share) -> Part:
    """One call: a share of the search."""
    begun = time.process_time()
    events: list[Event] = []
    bmc.search(program, options, events.append, share)
    findings = tuple(event for event in events if isinstance(event, Finding))
    depths = [event.depth for event in events if isinstance(event, Progress)]
    depths += [one.depth for one in findings if one.verdict is Verdict.PROVED_UP_TO and one.depth is not None]
    return Part(findings, max(depths, default=-1), time.process_time() - begun)


@dataclass(slots=True)
class Split:
    """Searches in cubes (`formal.pipeline.Searcher`). `hard`: seconds for a question of the search in one piece; 0: there is none. `say`
    tells of processes that died; `deadline`: of time.monotonic()."""

    crew: Crew
    switches: int
    say: Say
    hard: float
    deadline: float | None = None

    def __call__(self, program: Program, options: Options, watcher: Watcher) -> Outcome:
        run = _Run(self, program, options, watcher)
        interrupted = timed_out = False
        with interrupts() as noted:
            try:
                watcher.started()
                run.search(noted)
            except _Enough:
                interrupted, timed_out = bool(noted), not noted
            finally:
                run.cancel()
        return run.outcome(interrupted, timed_out)


@dataclass(slots=True)
class _Run:
    """One search. `best`: of each property the violation that counts so far, behind what it is measured by; `over`: cubes in which no
    execution is longer; `lost`: of a property, why some cube has no answer. An undecided finding has the steps that are covered."""

    split: Split
    program: Program
    options: Options
    watcher: Watcher
    covered: int = -1
    settled: dict[str, Finding] = field(default_factory=dict)
    best: dict[str, tuple[Rank, Finding]] = field(default_factory=dict)
    over: dict[Cube, int] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    crashes: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    futures: list[Future[Any]] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    @property
    def depth(self) -> int:
        assert self.options.depth is not None
        return self.options.depth

    @property
    def open(self) -> tuple[str, ...]:
        return tuple(name for name in self.options.properties if name not in self.settled)

    def search(self, noted: Sequence[int]) -> None:
        """All of it. Raises _Enough."""
        if self.split.hard > 0:
            self._in_one_piece(noted)
        if self.open:
            self._in_cubes(noted)

    def _in_one_piece(self, noted: Sequence[int]) -> None:
        """Until a question is hard."""
        future = self._submit(self.depth, Share(patience=self.split.hard))
        for _, value in self._endings([future], noted):
            if isinstance(value, Part):
                self.covered = value.covered
                decided = [one for one in value.findings if one.verdict is not Verdict.UNDECIDED or one.reason.startswith(TOO_LARGE)]
                self.settled.update((one.prop, one) for one in decided)
        self.lost.clear()  # the cubes will tell

    def _in_cubes(self, noted: Sequence[int]) -> None:
        """From there on, some depths at a time."""
        every = cubes(self.program, self.split.switches)
        self.counts.update({"cubes": len(every), "first movers of a cube": len(every[0]), "steps in one piece": max(0, self.covered)})
        while self.open and self.covered < self.depth:
            upto = min(self.depth, self.covered + STRIDE)
            self._window([cube for cube in every if cube not in self.over], upto, noted)
            self._close(every, upto)
        for name in self.open:
            self.settled[name] = Finding(name, Verdict.PROVED_UP_TO, self.depth, f"no violation within {self.depth} steps")

    def _window(self, every: Sequence[Cube], upto: int, noted: Sequence[int]) -> None:
        """All cubes, up to a depth. What need not look so deep any more and has not begun is asked for less."""
        waiting = [(cube, self._submit(upto, Share(cube, self.covered))) for cube in every]
        while waiting:
            late: list[tuple[Cube, Future[Any]]] = []
            left = dict(enumerate(waiting))
            for number, value in self._endings([future for _, future in waiting], noted):
                cube, _ = left.pop(number)
                if not isinstance(value, Part):
                    continue
                self._take(cube, value)
                needed = max((self.best[name][0][0] if name in self.best else upto for name in self.open), default=0)
                for other, future in left.values() if needed < upto else ():
                    if future.cancel():
                        late.append((other, self._submit(needed, Share(other, self.covered))))
                        self.counts["cut short"] += 1
            waiting = late

    def _take(self, cube: Cube, part: Part) -> None:
        """What a cube found."""
        for one in part.findings:
            if one.verdict is Verdict.VIOLATED:
                ranked = _rank(cube, one), one
                self.best[one.prop] = min(ranked, self.best.get(one.prop, ranked), key=itemgetter(0))
            elif one.verdict is Verdict.PROVED:
                self.over[cube] = part.covered
            elif one.verdict is Verdict.UNDECIDED:
                self.lost.setdefault(one.prop, f"in one of the cubes {one.reason}")

    def _close(self, every: Sequence[Cube], upto: int) -> None:
        """What is settled once all cubes have been looked at up to a depth."""
        for name, (_, found) in self.best.items():
            shortest = self.lost.pop(name, None) is None
            reason = found.reason if shortest else "an execution that is not known to be the shortest"
            self.settled[name] = replace(found, reason=reason, shortest=shortest)
        for name, why in self.lost.items():
            self.settled[name] = Finding(name, Verdict.UNDECIDED, self.covered, why)
        self.best.clear()
        self.lost.clear()
        self.covered = upto
        if len(self.over) == len(every):
            longest = max(self.over.values())
            for name in self.open:
                self.settled[name] = Finding(name, Verdict.PROVED, None, f"no execution is longer than {longest} steps")

    # ------------------------------------------------------------ calls

    def _submit(self, upto: int, share: Share) -> Future[Any]:
        options = replace(self.options, properties=self.open, depth=upto)
        future = self.split.crew.executor.submit(look, self.program, options, share)
        self.futures.append(future)
        return future

    def _endings(self, futures: Sequence[Future[Any]], noted: Sequence[int]) -> Iterator[tuple[int, Part | None]]:
        """Numbers and parts; of what was cancelled or has no answer, no part. Raises _Enough."""

        def watch(_working: Sequence[int], ended: int) -> None:
            note = f"depth {self.covered}, {ended}/{len(futures)} cubes" if self.counts["cubes"] else "in one piece"
            self.watcher.standing(Standing(((ENGINE, note),), len(self.settled), len(self.options.properties), self._age()))
            if noted or (self.split.deadline is not None and time.monotonic() >= self.split.deadline):
                raise _Enough

        for ending in gather(self.split.crew, futures, self._tell, watch):
            if ending.error is None:
                self.counts["calls"] += 1
                self.seconds.append(ending.value.seconds)
            elif not isinstance(ending.error, CancelledError):
                self._lose(ending.error)
            yield ending.number, ending.value

    def _tell(self, _number: int | None, text: str) -> None:
        self.counts["tried again"] += 1
        self.split.say(f"part of the search is done again: {text}")

    def _lose(self, error: BaseException) -> None:
        """A part of the search has no answer: what is open stays so."""
        why = str(error) if isinstance(error, Lost) else "".join(getattr(error, "__notes__", ())) or repr(error)
        self.crashes.append((ENGINE, why))
        for name in self.open:
            self.lost.setdefault(name, "part of the search was lost")

    def cancel(self) -> None:
        """Nothing more is wanted."""
        for future in self.futures:
            future.cancel()

    def _age(self) -> float:
        return time.monotonic() - self.begun

    def outcome(self, interrupted: bool, timed_out: bool) -> Outcome:
        """What is known."""
        settled = {name: Settled(ENGINE, one) for name, one in self.settled.items() if one.verdict is not Verdict.UNDECIDED}
        left = [name for name in self.options.properties if name not in settled]
        told = {name: one for name, one in self.settled.items() if name in left}
        reasons = {name: ((ENGINE, told[name].reason),) if name in told else () for name in left}
        covered = {name: self.covered if name not in told or (depth := told[name].depth) is None else depth for name in left}
        figures: dict[str, int | float | str] = {**self.counts, "CPU seconds": round(sum(self.seconds), 3)}
        figures["CPU seconds of the dearest call"] = round(max(self.seconds, default=0.0), 3)
        named = {f"{ENGINE}.{name}": value for name, value in figures.items()}
        return Outcome(settled, covered, reasons, tuple(self.crashes), named, None, interrupted, timed_out)


def _rank(cube: Cube, finding: Finding) -> Rank:
    """The shortest first, then the one with the fewest context switches, then by the cubes."""
    moves = finding.trace.moves if finding.trace is not None else ()
    return finding.depth or 0, context_switches(move.thread for move in moves), cube
