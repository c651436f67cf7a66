"""Bounded model checking: looks for a violation of each length in turn, with one solver for all properties.

In: a program. Out: violations, shortest first and with the fewest context switches; how deep the search is; and a proof only where no
execution is any longer. It must not know how states and steps are encoded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

from formal.engines.alike import first_movers
from formal.engines.encoding import encoded
from formal.engines.protocol import Finding, Options, Progress, Statistics, Tell
from formal.program import Program, Property
from formal.smt.bounded import Bounded
from formal.smt.solver import Answer
from formal.verdict import Trace, Verdict


@dataclass(frozen=True, slots=True)
class Share:
    """Part of a search: the executions in which the threads of these numbers move first, in this order (`formal.cubes`). `known`: steps
    within which nothing asked for is violated, by any execution; `patience`: seconds for one question to the solver."""

    first: tuple[int, ...] = ()
    known: int = -1
    patience: float | None = None


@dataclass(slots=True, eq=False)
class _Search:
    """One run. `open` are the properties that are not settled, in order."""

    options: Options
    tell: Tell
    bounded: Bounded
    open: dict[str, Property]
    share: Share
    started: float = field(default_factory=perf_counter)

    def run(self) -> None:
        depth = 0
        while self.open:
            if not self.settle(depth):
                return
            if self.open:
                self.tell(Progress(depth, f"{self.bounded.session.figures().get('clauses', 0)} clauses"))
            if depth == self.options.depth:
                self.close(Verdict.PROVED_UP_TO, depth, f"no violation within {depth} steps")
            elif self.open and self.exhausted(depth):
                return
            depth += 1

    def settle(self, depth: int) -> bool:
        """Settles what is violated by an execution of exactly this length. False: the solver gave up."""
        if depth:
            self.bounded.extend()
        while self.open and depth > self.share.known:
            answer, broken = self.bounded.violation(tuple(self.open))
            if answer is Answer.UNKNOWN:
                return self.give_up(depth)
            if answer is Answer.UNSAT:
                break
            for name in broken:
                trace = self.bounded.shortest_in_switches(name)
                self.violated(name, trace, depth)
        if self.open:
            self.bounded.go_on(tuple(self.open))
        return True

    def violated(self, name: str, trace: Trace, depth: int) -> None:
        del self.open[name]
        self.tell(Finding(name, Verdict.VIOLATED, depth, f"an execution of {depth} steps", trace))

    def exhausted(self, depth: int) -> bool:
        """Whether no execution is longer than this. Of a share, it is asked early: there may be nobody who can begin so."""
        if depth <= self.share.known and not (depth == 1 and self.share.first):
            return False
        answer = self.bounded.can_go_on(depth)
        if answer is Answer.UNSAT:
            self.close(Verdict.PROVED, None, f"no execution is longer than {depth} steps")
        elif answer is Answer.UNKNOWN:
            self.give_up(depth)
        return answer is not Answer.SAT

    def close(self, verdict: Verdict, depth: int | None, reason: str) -> None:
        """The same finding for all that is open."""
        for name in self.open:
            self.tell(Finding(name, verdict, depth, reason))
        self.open.clear()

    def give_up(self, depth: int) -> bool:
        reason = self.bounded.session.reason()
        self.close(Verdict.UNDECIDED, None, f"the solver gave up at depth {depth}: {reason}")
        return False


def run(program: Program, options: Options, tell: Tell) -> None:
    """Settles what it can of `options.properties`; without `options.depth` it may run for ever."""
    search(program, options, tell, Share())


def search(program: Program, options: Options, tell: Tell, share: Share) -> None:
    """The same, for a share of the executions."""
    wanted = set(options.properties)
    properties = {p.name: p for p in program.properties if p.name in wanted}
    started = perf_counter()

    def build() -> Bounded:
        asked = tuple(properties.values())
        alike = first_movers(program, asked, options)
        return Bounded(program, asked, options.memory, without=options.without, first=share.first, patience=share.patience, alike=alike)

    bounded = encoded(properties, tell, build)
    if bounded is None:
        return
    built = perf_counter() - started
    _Search(options, tell, bounded, properties, share).run()
    figures = {"encoding seconds": round(built, 3), "seconds": round(perf_counter() - started, 3), **bounded.figures()}
    tell(Statistics(figures))
