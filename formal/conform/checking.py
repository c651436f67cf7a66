"""One log held to one model, from the first line to the answer.

In: what to follow with, and the lines of a log. Out: a `Result`. Raises BadLog for a log that is none. The lines are read once, and
nothing is kept of them but a number for each mapped one. Must not print.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from formal.conform.blame import reject
from formal.conform.covering import coverage
from formal.conform.following import EMPTY, Following, TooMany
from formal.conform.log import Event, Reader
from formal.conform.mapping import Mapping
from formal.conform.result import Coverage, Observed, Rejection, Result
from formal.conform.runs import Runs
from formal.conform.sieve import Sieve
from formal.conform.states import UNBOUND, Possible
from formal.interp import Machine, Stop
from formal.interp.explain import explain

EXPLAINED = 20_000  # events of a log for which an execution is written down
OFTEN = 2048  # lines between two looks at the clock

Told = Callable[[int, float], None]  # lines so far, seconds


@dataclass(slots=True)
class _Path:
    """The sets so far: `sets[n]` is the one before the event `kinds[n]`, which is on line `lines[n]`. `violated`: where each invariant was
    first broken, the line (None: before the first event) and the number of events."""

    sets: array[int] = field(default_factory=lambda: array("l"))
    kinds: array[int] = field(default_factory=lambda: array("l"))
    lines: array[int] = field(default_factory=lambda: array("l"))
    violated: dict[str, tuple[int | None, int]] = field(default_factory=dict)


class Checking:
    """Logs under one model and mapping; what was learned from one is there for the next. `most`: states in one set."""

    def __init__(self, machine: Machine, mapping: Mapping, most: int) -> None:
        self.machine = machine
        self.mapping = mapping
        self._most = most
        self._following = Following(machine, mapping, most)
        self._broken: dict[int, tuple[str, ...]] = {}
        self._forgotten = 0

    def check(self, path: str, lines: Iterable[bytes], told: Told | None = None) -> Result:
        """What becomes of the log of that name. Raises BadLog."""
        began = time.monotonic()
        self._forgotten = self._following.forgotten
        reader = Reader(path, self.mapping.by_event, self.mapping.other_lines)
        sieve = Sieve(self.mapping, path, reader)
        run = _Path()
        rejection, undecided = None, ""
        progress = None if told is None else lambda: told(reader.lines, time.monotonic() - began)
        try:
            at, rejection = self._followed(sieve, reader.events(lines), run, progress)
            observed, covered, threads = self._ending(at, run, rejection)
        except TooMany:
            observed, covered, threads = (), None, {}
            undecided = f"more than {self._most:,} states are possible after {len(run.kinds):,} mapped events; give it more --memory"
        return Result(
            model=self.machine.program.name,
            file=self.machine.program.file,
            log=path,
            mapping=self.mapping.source,
            status="undecided" if undecided else "accepted" if rejection is None else "rejected",
            lines=reader.lines,
            comments=reader.comments,
            other_lines=reader.others,
            tally=sieve.tally,
            seconds=time.monotonic() - began,
            largest=self._following.largest,
            threads=threads,
            observed=observed,
            rejection=rejection,
            coverage=covered,
            why_undecided=undecided,
            parameters=self.machine.program.parameters,
            extra=self.mapping.extra,
        )

    def _followed(
        self, sieve: Sieve, events: Iterable[Event], run: _Path, progress: Callable[[], None] | None
    ) -> tuple[int, Rejection | None]:
        """The set behind the last event that fits, and what does not. Writes down the way there in `run`. Raises BadLog, TooMany."""
        at = self._following.start()
        run.sets.append(at)
        self._invariants(at, None, run)
        for event, seen in sieve.sift(events):
            if progress is not None and sieve.tally.mapped % OFTEN == 0:
                progress()
            at = self._following.make_room(at)
            kind = self._following.kind(seen)
            after = self._following.after(at, kind)
            if after == EMPTY:
                previous = run.lines[-1] if run.lines else None
                return at, reject(self._following, self._following.closure(at), event, seen, previous, len(run.lines))
            at = after
            run.sets.append(at)
            run.kinds.append(kind)
            run.lines.append(event.number)
            self._invariants(at, event.number, run)
        return at, None

    # ------------------------------------------------------------ what was observed

    def _invariants(self, number: int, line: int | None, run: _Path) -> None:
        """The invariants that do not hold in any of the set's states: whichever execution it was, it broke them."""
        if self._following.forgotten != self._forgotten:
            self._forgotten = self._following.forgotten
            self._broken.clear()
        names = self._broken.get(number)
        if names is None:
            states = iter(self._following.members(number))
            left = set(self.machine.broken_invariants(next(states).state))
            for member in states:
                if not left:
                    break
                left.intersection_update(self.machine.broken_invariants(member.state))
            names = self._broken[number] = tuple(sorted(left))
        for name in names:
            run.violated.setdefault(name, (line, len(run.kinds)))

    def _ending(
        self, at: int, run: _Path, rejection: Rejection | None
    ) -> tuple[tuple[Observed, ...], Coverage | None, dict[int, tuple[str, ...]]]:
        members = self._following.closure(at).members
        last = run.lines[-1] if run.lines else None
        errors = {} if rejection is not None else self._unavoidable(members)
        runs = None
        if self._following.forgotten == 0 and len(run.sets) == len(run.kinds) + 1:
            runs = Runs(self._following, run.sets, run.kinds)
            runs.trace_back()
        observed = [self._invariant(name, *where, runs) for name, where in run.violated.items()]
        observed += [self._error(name, thread, last, run, runs) for name, thread in errors.items()]
        covered = None if runs is None else coverage(self.machine, runs.controls)
        return tuple(observed), covered, self._threads(members)

    def _unavoidable(self, members: list[Possible]) -> dict[str, int]:
        """Errors that are all that some thread can do next, in every state that the log leaves possible."""
        found: dict[str, int] = {}
        for thread in range(len(self.machine.program.threads)):
            errors = {self._only_error(member, thread) for member in members}
            if len(errors) == 1 and (error := errors.pop()) is not None:
                found.setdefault(error, thread)
        return found

    def _only_error(self, member: Possible, thread: int) -> str | None:
        if member.state[thread] < 2:
            return None
        props = {after.prop if isinstance(after, Stop) else None for _, after in self.machine.run(member.state[thread])(member.state)}
        return props.pop() if len(props) == 1 else None

    def _invariant(self, name: str, line: int | None, count: int, runs: Runs | None) -> Observed:
        why = "it does not hold in any state that the log leaves possible there"
        if runs is None or count > EXPLAINED:
            return Observed(name, line, why, "", None)
        execution = runs.example(count)
        prop = next(one for one in self.machine.program.properties if one.name == name)
        return Observed(name, line, why, explain(self.machine, prop, execution, None), len(execution.steps))

    def _error(self, name: str, thread: int, line: int | None, run: _Path, runs: Runs | None) -> Observed:
        thread_name = self.machine.program.threads[thread].name
        why = f"behind the log's last mapped event, it is all that {thread_name} can do"
        prop = next((one for one in self.machine.program.properties if one.name == name), None)
        if runs is None or prop is None or len(run.kinds) > EXPLAINED:
            return Observed(name, line, why, "", None)
        execution = runs.violating(name, thread)
        return Observed(name, line, why, explain(self.machine, prop, execution, None), len(execution.steps))

    def _threads(self, members: list[Possible]) -> dict[int, tuple[str, ...]]:
        """The log's thread ids, and which threads they may be."""
        found: dict[int, set[int]] = {}
        for member in members:
            for thread, known in enumerate(member.bound):
                if known != UNBOUND:
                    found.setdefault(known, set()).add(thread)
        names = [thread.name for thread in self.machine.program.threads]
        return {known: tuple(names[thread] for thread in sorted(threads)) for known, threads in sorted(found.items())}
