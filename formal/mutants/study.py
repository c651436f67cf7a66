"""All mutants of a model, and what became of each.

In: a program, the properties asked for. Out: a `Study`. What takes long is left to processes of their own; the order in which they answer
makes no difference to the outcome.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from formal.mutants.clauses import clauses
from formal.mutants.explaining import Explanation, explained, explanations
from formal.mutants.judging import Fate, Judge, Kills, graph_of
from formal.mutants.operators import Mutant, mutants
from formal.mutants.running import Broke, Late, answers
from formal.program import Program
from formal.rewriting.bodies import place_of
from formal.rewriting.flattening import flat
from formal.verdict import SourceRef

_TRIED: Final = 60  # mutants that a clause is tried with, those that die soonest


class NotProved(Exception):
    """There is nothing to notice: the model violates a property, or it is not known whether it does."""

    def __init__(self, kills: Kills, reason: str) -> None:
        super().__init__(reason)
        self.kills = kills
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One mutant. `kind`: of the statement; `why`: the explanation of a survivor."""

    operator: str
    name: str
    body: str
    kind: str
    source: SourceRef
    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class Noticed:
    """By one property: `first`, the mutants that no other notices sooner; `alone`, those of them that no other notices in as few steps;
    `steps`: the fewest."""

    prop: str
    kind: str
    first: int
    alone: int
    steps: int | None


@dataclass(frozen=True, slots=True)
class Study:
    """`total`: how many mutants there are, of which `entries` were looked at (all, or a sample); `states`: of the model itself, None if
    they are too many to be compared with; `interrupted`: not all answers had come."""

    program: Program
    total: int
    entries: tuple[Entry, ...]
    noticed: tuple[Noticed, ...]
    stale: tuple[Explanation, ...]
    states: int | None
    seconds: float
    interrupted: bool = False

    def counts(self) -> Counter[str]:
        """How many of each fate."""
        return Counter(entry.fate.state for entry in self.entries)

    def survivors(self, *, explained: bool) -> list[Entry]:
        """Those that nothing notices, with an explanation or without one."""
        return [entry for entry in self.entries if entry.fate.state == "survives" and bool(entry.why) == explained]

    def open(self) -> list[Entry]:
        """Those of which it is not known, without an explanation."""
        return [entry for entry in self.entries if entry.fate.state in ("undecided", "timeout") and not entry.why]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked. `sample`: so many mutants, chosen by `seed`; None: all. `limit`: seconds for each; `tell` hears how it goes."""

    properties: tuple[str, ...]
    jobs: int
    limit: float
    sample: int | None = None
    seed: int = 0
    tell: Callable[[str], None] = field(default=lambda _: None)


def study(program: Program, plan: Plan) -> Study:
    """Raises NotProved."""
    return _Run(program, plan).run()


class _Run:
    def __init__(self, program: Program, plan: Plan) -> None:
        self._begun = time.monotonic()
        self._given = program
        self._plan = plan
        self._program = flat(program)
        plan.tell("the model itself")
        kills, original, reason = graph_of(self._program, plan.properties)
        if kills or reason:
            raise NotProved(kills, reason)
        self._judge = Judge(self._program, plan.properties, original)
        self._states = None if original is None else len(original.exploration.states)
        if original is not None:
            _ = original.executed, original.steps  # made once, for all the processes
        self._mutants = mutants(self._program)
        self._fates: dict[int, Fate] = {}

    def run(self) -> Study:
        chosen = list(range(len(self._mutants)))
        if self._plan.sample is not None and self._plan.sample < len(chosen):
            chosen = sorted(random.Random(self._plan.seed).sample(chosen, self._plan.sample))
        interrupted = False
        extra: list[Entry] = []
        try:
            self._look(chosen)
            extra = self._clauses()
        except KeyboardInterrupt:
            interrupted = True
        entries = [_entry(self._mutants[number], fate) for number, fate in sorted(self._fates.items())] + extra
        whys, stale = explained(
            explanations(self._given.sources), [entry.name for entry in entries if entry.fate.state in ("survives", "undecided", "timeout")]
        )
        entries = [replace(entry, why=whys.get(entry.name, "")) for entry in entries]
        complete = len(chosen) == len(self._mutants) and not interrupted
        return Study(
            self._given,
            len(self._mutants) + len(self._asked_clauses()),
            tuple(entries),
            tuple(self._noticed()),
            tuple(stale) if complete else (),
            self._states,
            time.monotonic() - self._begun,
            interrupted,
        )

    # ------------------------------------------------------------ mutants

    def _look(self, chosen: Sequence[int]) -> None:
        for number, answer in answers(list(chosen), self._one, self._plan.jobs, self._plan.limit):
            self._fates[number] = _fate(answer, self._plan.limit)
            counts = Counter(fate.state for fate in self._fates.values())
            told = ", ".join(f"{count} {state}" for state, count in counts.most_common())
            self._plan.tell(f"{len(self._fates)}/{len(chosen)} mutants: {told}")

    def _one(self, number: int) -> Fate:
        begun = time.monotonic()
        return replace(self._judge.judge(self._mutants[number]), seconds=time.monotonic() - begun)

    # ------------------------------------------------------------ clauses

    def _asked_clauses(self) -> list[str]:
        asked = set(self._plan.properties)
        return [one.prop for one in clauses(self._program) if one.prop in asked]

    def _clauses(self) -> list[Entry]:
        """Each clause, dropped. It was noticed above if it notices something first; else it is tried as the only one."""
        known = {prop: number for number, fate in sorted(self._fates.items(), reverse=True) for prop, _ in fate.by}
        found = []
        dying = sorted((number for number, fate in self._fates.items() if fate.state == "killed"), key=lambda n: self._fates[n].seconds)
        for clause in clauses(self._program):
            if clause.prop not in self._plan.properties:
                continue
            fate = Fate("survives", reason="no mutant violates it, not even where it is the only clause")
            if clause.prop in known:
                fate = Fate("killed", reason=f"notices {self._mutants[known[clause.prop]].name}")
            else:
                fate = self._tried(clause.prop, dying[:_TRIED]) or fate
            span = clause.info.span
            source = place_of(span)
            found.append(Entry("drop", f"drop {clause.prop} in {clause.info.body}", clause.info.body, "clause", source, fate))
        return found

    def _tried(self, prop: str, numbers: list[int]) -> Fate | None:
        def ask(number: int) -> bool:
            return self._judge.violated_alone(self._mutants[number], prop)

        self._plan.tell(f"what {prop} notices")
        for number, answer in answers(numbers, ask, self._plan.jobs, self._plan.limit):
            if answer is True:
                return Fate("killed", reason=f"as the only clause, notices {self._mutants[number].name}")
        return None

    # ------------------------------------------------------------ properties

    def _noticed(self) -> list[Noticed]:
        first: Counter[str] = Counter()
        alone: Counter[str] = Counter()
        steps: dict[str, int] = {}
        for fate in self._fates.values():
            least = min((depth for _, depth in fate.by), default=0)
            soonest = [prop for prop, depth in fate.by if depth == least]
            first.update(soonest)
            alone.update(soonest if len(soonest) == 1 else ())
            for prop, depth in fate.by:
                steps[prop] = min(depth, steps.get(prop, depth))
        asked = set(self._plan.properties)
        return [
            Noticed(prop.name, prop.kind, first[prop.name], alone[prop.name], steps.get(prop.name))
            for prop in self._given.properties
            if prop.name in asked
        ]


def _fate(answer: object, limit: float) -> Fate:
    match answer:
        case Fate():
            return answer
        case Late():
            return Fate("timeout", reason=f"not settled within {limit:g} s", seconds=limit)
        case Broke(how=how):
            return Fate("undecided", reason=f"the search broke down: {how.strip().splitlines()[-1]}")
        case _:
            raise TypeError(f"{answer!r} is no fate")


def _entry(mutant: Mutant, fate: Fate) -> Entry:
    return Entry(mutant.operator, mutant.name, mutant.body, mutant.kind, mutant.source, fate)
