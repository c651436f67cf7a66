"""k-induction: a property holds if no execution of k steps violates it, and if after k steps from any state, all without a violation, there
is none either.

In: a program. Out: violations as the bounded engine tells them, shortest first and with the fewest context switches; and proofs, which do
not depend on how long executions are. A counterexample to the step case is no execution of the program, and is never told.
It must not know how states and steps are encoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

from formal.engines.alike import base_case
from formal.engines.encoding import encoded, safety
from formal.engines.protocol import OWNERSHIP, Finding, Options, Progress, Statistics, Tell
from formal.program import Program, Property
from formal.smt.bounded import Bounded
from formal.smt.facts import proved_facts
from formal.smt.induction_step import InductionStep
from formal.smt.solver import Answer, Session
from formal.verdict import Verdict


@dataclass(slots=True, eq=False)
class _Search:
    """One run. `base` has the executions from the initial state, `step` those from any state; `lemmas`: how many were proved.
    `open` are the properties that are not settled, in order."""

    options: Options
    tell: Tell
    base: Bounded
    step: InductionStep
    lemmas: int
    open: dict[str, Property]

    def run(self) -> None:
        depth = 0
        while self.open:
            if depth:
                self.base.extend()
                self.step.extend()
            if not self.violations(depth):
                return
            if self.open:
                self.tell(Progress(depth, f"{self.base.session.figures().get('clauses', 0)} clauses"))
            if not self.proofs(depth):
                return
            if depth == self.options.depth:
                self.close(self.open, Verdict.PROVED_UP_TO, depth, f"no violation within {depth} steps")
            elif self.open and self.exhausted(depth):
                return
            depth += 1

    def violations(self, depth: int) -> bool:
        """The base case: settles what is violated by an execution of exactly this length. False: the solver gave up."""
        while self.open:
            answer, broken = self.base.violation(tuple(self.open))
            if answer is Answer.UNKNOWN:
                return self.give_up(self.base.session, depth)
            if answer is Answer.UNSAT:
                break
            for name in broken:
                trace = self.base.shortest_in_switches(name)
                del self.open[name]
                self.tell(Finding(name, Verdict.VIOLATED, depth, f"an execution of {depth} steps", trace))
        if self.open:
            self.base.go_on(tuple(self.open))
        return True

    def proofs(self, depth: int) -> bool:
        """The step case. False: the solver gave up."""
        answer, held = self.step.inductive(tuple(self.open))
        if answer is Answer.UNKNOWN:
            return self.give_up(self.step.session, depth)
        helped = f", with {self.lemmas} lemma{'s' if self.lemmas > 1 else ''}" if self.lemmas else ""
        self.close(held, Verdict.PROVED, None, f"k-induction at k = {depth}{helped}")
        return True

    def exhausted(self, depth: int) -> bool:
        """Whether no execution is longer than this, or the solver gave up."""
        answer = self.base.can_go_on(depth)
        if answer is Answer.UNSAT:
            self.close(self.open, Verdict.PROVED, None, f"no execution is longer than {depth} steps")
        elif answer is Answer.UNKNOWN:
            self.give_up(self.base.session, depth)
        return answer is not Answer.SAT

    def close(self, names: Iterable[str], verdict: Verdict, depth: int | None, reason: str) -> None:
        """The same finding for all of these."""
        for name in tuple(names):
            del self.open[name]
            self.tell(Finding(name, verdict, depth, reason))

    def give_up(self, session: Session, depth: int) -> bool:
        self.close(self.open, Verdict.UNDECIDED, None, f"the solver gave up at depth {depth}: {session.reason()}")
        return False


def _prepare(program: Program, options: Options, tell: Tell, properties: dict[str, Property]) -> _Search:
    """Proves what lemmas it can, before anything rests on them."""
    base = base_case(program, properties.values(), options)
    facts = proved_facts(base.relation, options.memory, offered=OWNERSHIP not in options.without)
    step = InductionStep(base.relation, tuple(properties.values()), facts.all, options.memory)
    return _Search(options, tell, base, step, len(facts.lemmas) + len(facts.standing), properties)


def run(program: Program, options: Options, tell: Tell) -> None:
    """Settles what it can of `options.properties`; without `options.depth` it may run for ever."""
    properties = safety(program, options, tell, "k-induction")
    started = perf_counter()
    search = encoded(properties, tell, lambda: _prepare(program, options, tell, dict(properties)))
    if search is None:
        return
    built = perf_counter() - started
    search.run()
    figures = {"encoding seconds": round(built, 3), "seconds": round(perf_counter() - started, 3), "lemmas": search.lemmas}
    tell(Statistics({**figures, **search.base.figures(), **search.step.figures()}))
