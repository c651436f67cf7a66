"""Many walks, and what came of them.

In: a program, a seed. Out: a `Simulation`: the violations, each with a short witness that the interpreter has replayed; how the walks
ended; coverage. The same seed gives the same walks, on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from formal.interp import Machine, Outcome, State, replay
from formal.program import Info, Program, Property
from formal.verdict import Witness
from formal.walks.covering import Coverage, coverage
from formal.walks.judging import Judge
from formal.walks.schedulers import MIXED, scheduler
from formal.walks.shrinking import shrink
from formal.walks.walk import End, Met, Walk, trace_of, walk


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. `steps`: at most, of each walk; `scheduler`: a key of SCHEDULERS, or MIXED."""

    seed: int = 0
    runs: int = 50
    steps: int = 1000
    scheduler: str = MIXED


@dataclass(frozen=True, slots=True)
class Violation:
    """`walk` and `steps`: where it was met first, walks counted from 1; `walks`: in how many; `witness`: shorter, where that could be."""

    prop: Property
    walk: int
    steps: int
    walks: int
    witness: Witness


@dataclass(frozen=True, slots=True)
class Simulation:
    """`walks` is less than what was planned where it was interrupted. `ends`: how many walks ended how."""

    plan: Plan
    walks: int
    steps: int
    ends: Mapping[End, int]
    violations: tuple[Violation, ...]
    coverage: Coverage
    stuck: tuple[int, tuple[tuple[str, Info], ...]] | None
    interrupted: bool


@dataclass(slots=True)
class _First:
    """The shortest way to a violation among all walks, and where it was met first."""

    walk: int
    steps: int
    met: Met
    outcomes: tuple[Outcome, ...]
    walks: int = 1


@dataclass(slots=True)
class _Tally:
    """What the walks so far have come to."""

    steps: int = 0
    walks: int = 0
    ends: Counter[End] = field(default_factory=Counter)
    found: dict[str, _First] = field(default_factory=dict)
    stood: set[int] = field(default_factory=set)
    passed: set[int] = field(default_factory=set)
    stuck: tuple[int, State] | None = None

    def add(self, number: int, start: State, done: Walk) -> None:
        """The walk of that number, from 1."""
        self.walks += 1
        self.steps += len(done.outcomes)
        self.ends[done.end] += 1
        state = start
        for outcome in done.outcomes:
            self.passed.add(state[outcome.thread])
            state = state if outcome.after is None else outcome.after
        if done.end is End.STUCK and self.stuck is None:
            self.stuck = (number, done.last)
        for met in done.met:
            first = self.found.get(met.prop)
            if first is None:
                self.found[met.prop] = _First(number, met.steps, met, done.outcomes[: met.steps])
                continue
            first.walks += 1
            if met.steps < first.met.steps:
                first.met, first.outcomes = met, done.outcomes[: met.steps]


def simulate(program: Program, plan: Plan, watch: Callable[[int], None] = lambda _: None) -> Simulation:
    """Walk. `watch` is told how many walks are done. Ctrl-C ends it early: what was met until then is told."""
    machine = Machine(program)
    judge = Judge(machine)
    tally = _Tally()
    interrupted = False
    try:
        for number in range(1, plan.runs + 1):
            random = Random(f"{plan.seed}:{number}")
            done = walk(machine, judge, scheduler(plan.scheduler, number - 1, random), plan.steps)
            tally.add(number, machine.initial(), done)
            tally.stood.update(done.last[: len(program.threads)])
            watch(number)
    except KeyboardInterrupt:
        interrupted = True
    violations = tuple(_violation(machine, prop, tally.found[prop.name]) for prop in program.properties if prop.name in tally.found)
    return Simulation(
        plan, tally.walks, tally.steps, tally.ends, violations, _coverage(machine, tally), _stuck(machine, tally), interrupted
    )


def _violation(machine: Machine, prop: Property, first: _First) -> Violation:
    outcomes, met = first.outcomes, first.met
    if prop.kind != "liveness":
        outcomes = shrink(machine, prop, outcomes)
        met = replace(met, steps=len(outcomes))
    return Violation(prop, first.walk, first.steps, first.walks, replay(machine, trace_of(machine, outcomes, met)))


def _stuck(machine: Machine, tally: _Tally) -> tuple[int, tuple[tuple[str, Info], ...]] | None:
    if tally.stuck is None:
        return None
    number, state = tally.stuck
    places = [(thread.name, machine.place(state, thread.id)) for thread in machine.program.threads]
    return number, tuple((name, place.info) for name, place in places if place is not None)


def _coverage(machine: Machine, tally: _Tally) -> Coverage:
    passed = tally.passed | machine.passed_in_atomics
    stood = tally.stood | passed | machine.met_in_atomics
    met = {uid for control in stood for uid in machine.uids(control)}
    return coverage(machine.program, met, {uid for control in passed for uid in machine.passed(control)})
