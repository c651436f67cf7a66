"""Property-directed reachability, by Z3's Spacer: looks for an inductive invariant that rules a violation out, for one property after
another.

In: a program. Out: proofs, which do not depend on how long executions are: Spacer's invariant is read back and checked by another solver,
and nothing is proved without. Where Spacer says that a violation can be reached, the bounded search finds the shortest one, and that is
told. With `options.depth` only the bounded search runs: an invariant knows no number of steps. It must not know how states and steps are
encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Final

from formal.engines.alike import base_case
from formal.engines.encoding import encoded, safety
from formal.engines.protocol import OWNERSHIP, Finding, Options, Progress, Statistics, Tell
from formal.program import Program, Property
from formal.smt.bounded import Bounded
from formal.smt.facts import proved_facts
from formal.smt.reachability import Reachability, Said
from formal.smt.solver import Answer
from formal.verdict import Verdict

FIRST_ROUND: Final = 1_000  # milliseconds of Spacer for each property; a hard one must not keep the others waiting
GROWTH: Final = 2  # of that time from round to round


@dataclass(slots=True, eq=False)
class _Search:
    """One run. `open` are the properties that are not settled, in order. `stopped`: why the bounded search goes no deeper; `exhausted`:
    because there is nothing deeper."""

    options: Options
    tell: Tell
    bounded: Bounded
    open: dict[str, Property]
    stopped: str = ""
    exhausted: bool = False

    # ------------------------------------------------------------ for every length

    def prove(self, reachability: Reachability) -> None:
        """Settles everything, or never returns: the time for one property grows from round to round."""
        milliseconds = FIRST_ROUND
        while self.open:
            for name in tuple(self.open):
                if name in self.open:  # a search for another one may have found this one violated
                    self.take(name, reachability.ask(name, milliseconds))
                    self.tell(Progress(self.bounded.depth, f"{len(self.open)} open"))
            milliseconds *= GROWTH

    def take(self, name: str, said: Said) -> None:
        match said.answer:
            case Answer.UNSAT:
                self.close(name, Verdict.PROVED, None, _invariant(said))
            case Answer.SAT:
                self.find(name)
            case Answer.UNKNOWN if not said.later:
                self.close(name, Verdict.UNDECIDED, None, said.reason)

    def find(self, name: str) -> None:
        """The shortest violation of a property that is said to have one, and of others that have one as short."""
        while name in self.open and not self.stopped:
            self.deeper()
        if name in self.open:
            self.close(name, Verdict.UNDECIDED, None, f"Spacer says that it can be violated, but {self.stopped}")

    # ------------------------------------------------------------ for some lengths

    def search(self, depth: int) -> None:
        """Settles everything, as far as executions of so many steps go."""
        while self.open and not self.stopped and self.bounded.depth < depth:
            self.deeper()
        verdict, covered, reason = Verdict.PROVED_UP_TO, depth, f"no violation within {depth} steps"
        for name in tuple(self.open):
            if self.exhausted:
                self.close(name, Verdict.PROVED, None, self.stopped)
            elif self.stopped:
                self.close(name, Verdict.UNDECIDED, None, self.stopped)
            else:
                self.close(name, verdict, covered, reason)

    def deeper(self) -> None:
        """One more step, if there can be one."""
        depth = self.bounded.depth
        match self.bounded.can_go_on(depth):
            case Answer.SAT:
                self.bounded.extend()
                self.look()
            case Answer.UNSAT:
                self.exhausted, self.stopped = True, f"no execution is longer than {depth} steps"
            case Answer.UNKNOWN:
                self.give_up()

    def look(self) -> None:
        """Tells what is violated by an execution of just the length that is reached."""
        depth = self.bounded.depth
        while self.open:
            answer, broken = self.bounded.violation(tuple(self.open))
            if answer is Answer.UNKNOWN:
                self.give_up()
                return
            if answer is Answer.UNSAT:
                break
            for name in broken:
                trace = self.bounded.shortest_in_switches(name)
                del self.open[name]
                self.tell(Finding(name, Verdict.VIOLATED, depth, f"an execution of {depth} steps", trace))
        self.bounded.go_on(tuple(self.open))
        self.tell(Progress(depth, f"{len(self.open)} open"))

    def give_up(self) -> None:
        self.stopped = f"the solver gave up at depth {self.bounded.depth}: {self.bounded.session.reason()}"

    def close(self, name: str, verdict: Verdict, depth: int | None, reason: str) -> None:
        del self.open[name]
        self.tell(Finding(name, verdict, depth, reason))


def _invariant(said: Said) -> str:
    """What a proof rests on."""
    lemmas = f"{said.lemmas} lemma{'' if said.lemmas == 1 else 's'}"
    if not said.clauses:
        return f"an inductive invariant of {lemmas}, checked"
    found = f"{said.clauses} clause{'' if said.clauses == 1 else 's'} found by Spacer"
    return f"an inductive invariant of {found}{f' and {lemmas}' if said.lemmas else ''}, checked"


def _search(program: Program, options: Options, tell: Tell, properties: dict[str, Property]) -> dict[str, int | float | str]:
    """Runs to the end; the figures of it. Raises EncodingLimitError or RecursionError before anything is told."""
    bounded = base_case(program, properties.values(), options)
    search = _Search(options, tell, bounded, properties)
    if options.depth is not None:
        search.look()
        search.search(options.depth)
        return dict(bounded.figures())
    facts = proved_facts(bounded.relation, options.memory, offered=OWNERSHIP not in options.without)
    reachability = Reachability(bounded.relation, tuple(properties.values()), facts.all, options.memory)
    search.look()
    search.prove(reachability)
    return {**bounded.figures(), **reachability.figures()}


def run(program: Program, options: Options, tell: Tell) -> None:
    """Settles what it can of `options.properties`; without `options.depth` it may run for ever."""
    properties = safety(program, options, tell, "pdr")
    started = perf_counter()
    figures = encoded(properties, tell, lambda: _search(program, options, tell, properties))
    if figures is None:
        return
    tell(Statistics({**figures, "seconds": round(perf_counter() - started, 3)}))
