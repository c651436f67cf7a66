"""All mutants of a model, and what became of each.

In: a program, the properties asked for. Out: a `Study`. What takes long is left to processes of their own; the order in which they answer
makes no difference to the outcome.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from formal.executor.calls import PROCESSES
from formal.executor.crew import Crew, crew
from formal.mutants.clauses import clauses
from formal.mutants.explaining import Explanation, explained, explanations
from formal.mutants.judging import UNREACHED, Fate, Kills
from formal.mutants.operators import Mutant
from formal.mutants.questions import Given, Kind, Question, Subject, bench
from formal.mutants.running import Broke, Late, answers
from formal.program import Assert, Literal, Program
from formal.rewriting.bodies import place_of
from formal.verdict import SourceRef

_ALWAYS: Final = Fate("survives", reason="it is always true, so that no mutant can violate it")
_NEVER: Final = Fate("survives", reason="no mutant violates it, not even where it is the only clause")


class NotProved(Exception):
    """There is nothing to notice: the model violates a property, or it is not known whether it does."""

    def __init__(self, kills: Kills, reason: str) -> None:
        super().__init__(reason)
        self.kills = kills
        self.reason = reason


class NotAsExpected(Exception):
    """A model beside it is not as it expects itself, and so cannot notice anything."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(what)
        self.file = file
        self.what = what


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
class Beside:
    """By a model beside it: how many mutants it notices that the model itself does not."""

    name: str
    file: str
    noticed: int


@dataclass(frozen=True, slots=True)
class Study:
    """`total`: how many mutants there are, of which `entries` were looked at (all, or a sample); `states`: of the model itself, None if
    they are too many to be compared with; `interrupted`: not all answers had come."""

    program: Program
    total: int
    entries: tuple[Entry, ...]
    noticed: tuple[Noticed, ...]
    beside: tuple[Beside, ...]
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
    """What is asked. `sample`: so many mutants, chosen by `seed`; None: all. `limit`: seconds for each; `beside`: models that may notice
    what this one does not; `tell` hears how it goes, `note` what happens to the executor's processes."""

    properties: tuple[str, ...]
    jobs: int
    limit: float
    sample: int | None = None
    seed: int = 0
    beside: tuple[Program, ...] = ()
    executor: str = PROCESSES
    tell: Callable[[str], None] = field(default=lambda _: None)
    note: Callable[[str], None] = field(default=lambda _: None)


def study(program: Program, plan: Plan) -> Study:
    """Raises NotProved, NotAsExpected; ExecutorError where there is no such executor."""
    return _Run(program, plan).run()


class _Run:
    def __init__(self, program: Program, plan: Plan) -> None:
        self._begun = time.monotonic()
        self._given = program
        self._plan = plan
        given = Given(program, plan.properties, plan.beside)
        self._subject = Subject(given.key, given)
        plan.tell("the model itself")
        self._bench = bench(self._subject)
        if self._bench.kills or self._bench.reason:
            raise NotProved(self._bench.kills, self._bench.reason)
        for one in self._bench.beside:
            plan.tell(f"{one.file} itself")
            if what := one.as_it_is():
                raise NotAsExpected(one.file, what)
        self._program = self._bench.program
        self._mutants = self._bench.mutants
        self._fates: dict[int, Fate] = {}

    def run(self) -> Study:
        chosen = list(range(len(self._mutants)))
        if self._plan.sample is not None and self._plan.sample < len(chosen):
            chosen = sorted(random.Random(self._plan.seed).sample(chosen, self._plan.sample))
        interrupted = False
        extra: list[Entry] = []
        try:
            with crew(self._plan.executor, self._plan.jobs) as hired:
                self._look(hired, chosen)
                self._ask_beside(hired)
                extra = self._clauses(hired)
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
            self._noticed_beside(),
            tuple(stale) if complete else (),
            None if self._bench.original is None else len(self._bench.original.exploration.states),
            time.monotonic() - self._begun,
            interrupted,
        )

    # ------------------------------------------------------------ mutants

    def _ask(self, hired: Crew, kind: Kind, numbers: Sequence[int], prop: str = "") -> Iterator[tuple[int, object]]:
        subject = self._subject if hired.elsewhere else replace(self._subject, given=None)
        return answers(hired, Question(subject, kind, tuple(numbers), prop), self._plan.limit, self._plan.note)

    def _look(self, hired: Crew, chosen: Sequence[int]) -> None:
        for number, answer in self._ask(hired, "fate", chosen):
            self._fates[number] = _fate(answer, self._plan.limit)
            self._tell(f"{len(self._fates)}/{len(chosen)} mutants")

    def _tell(self, what: str) -> None:
        counts = Counter(fate.state for fate in self._fates.values())
        told = ", ".join(f"{count} {state}" for state, count in counts.most_common())
        self._plan.tell(f"{what}: {told}")

    def _ask_beside(self, hired: Crew) -> None:
        """Whether models beside this one notice the survivors."""
        left = [number for number, fate in sorted(self._fates.items()) if fate.state == "survives"]
        if not self._bench.beside:
            return
        for asked, (number, answer) in enumerate(self._ask(hired, "beside", left), 1):
            if isinstance(answer, str) and answer:
                model, _, what = answer.partition(": ")
                self._fates[number] = replace(self._fates[number], state="killed", reason=what, beside=model)
            self._tell(f"{asked}/{len(left)} survivors held to models beside it")

    # ------------------------------------------------------------ clauses

    def _asked_clauses(self) -> list[str]:
        asked = set(self._plan.properties)
        return [one.prop for one in clauses(self._program) if one.prop in asked]

    def _clauses(self, hired: Crew) -> list[Entry]:
        """Each clause, dropped. It was noticed above if it notices something first; else it is tried as the only one."""
        known = {prop: number for number, fate in sorted(self._fates.items(), reverse=True) for prop, _ in fate.by}
        asked = set(self._asked_clauses())
        dying = sorted((number for number, fate in self._fates.items() if fate.by), key=lambda number: self._turn(number, asked))
        return [self._clause(hired, clause, known, dying) for clause in clauses(self._program) if clause.prop in asked]

    def _turn(self, number: int, asked: Collection[str]) -> tuple[bool, float]:
        """Whom a clause is tried with first: mutants that another clause notices, then those that die soonest."""
        fate = self._fates[number]
        return not any(prop in asked for prop, _ in fate.by), fate.seconds

    def _clause(self, hired: Crew, clause: Assert, known: Mapping[str, int], dying: Sequence[int]) -> Entry:
        original = self._bench.original
        if original is not None and clause.info.uid not in original.executed:
            fate = Fate("equivalent", reason=UNREACHED)
        elif clause.prop in known:
            fate = Fate("killed", reason=f"notices {self._mutants[known[clause.prop]].name}")
        elif isinstance(clause.condition, Literal) and clause.condition.value is True:
            fate = _ALWAYS
        else:
            fate = self._tried(hired, clause.prop, dying)
        body = clause.info.body
        return Entry("drop", f"drop {clause.prop} in {body}", body, "clause", place_of(clause.info.span), fate)

    def _tried(self, hired: Crew, prop: str, numbers: Sequence[int]) -> Fate:
        """With every mutant that dies: one that none of the model's properties notices violates no clause either."""
        self._plan.tell(f"what {prop} notices")
        unknown = 0
        for number, answer in self._ask(hired, "alone", numbers, prop):
            if answer is True:
                return Fate("killed", reason=f"as the only clause, notices {self._mutants[number].name}")
            unknown += answer is not False
        return Fate("undecided", reason=f"{unknown} of {len(numbers)} mutants unsettled where it is the only clause") if unknown else _NEVER

    # ------------------------------------------------------------ properties

    def _noticed_beside(self) -> tuple[Beside, ...]:
        counts = Counter(fate.beside for fate in self._fates.values())
        return tuple(Beside(one.name, one.file, counts[one.name]) for one in self._bench.beside)

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
