"""The search for repairs: the least set of edits that nothing known speaks against, again and again.

In: models, a lock, an executor. Out: a `Found`. A set is looked at first here, for a violation, which rules out all sets that leave it
possible; what shows none is put to the engines elsewhere, as text, while the search goes on. In the end every set of edits that costs no
more than what was asked for is ruled out, or is a repair, or has more in it than a repair, whenever the answers come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from formal import program as p
from formal.diagnostics import InternalError, Source
from formal.executor.calls import Lost, Overdue, Within
from formal.executor.crew import Crew
from formal.race import interrupts
from formal.repair.candidates import Candidates
from formal.repair.edits import Act, Edit, Offer, keys_of, offer
from formal.repair.embedding import applied, embedded
from formal.repair.hunting import Run, TooMany, hunt
from formal.repair.operations import Kind, NoSuchLock, Operations, operations
from formal.repair.questions import Question, Refused
from formal.repair.ruling_out import diagram
from formal.repair.texts import changed, files_of
from formal.repair.walking import Walker
from formal.rewriting.flattening import flat
from formal.smt.choosing import Unsettled
from formal.verdict import Report, Verdict

FEW: Final = 6_000  # states to look at before the engines are asked
MANY: Final = 100_000  # states to look at for a violation that they have found
GRACE: Final = 10.0  # seconds beyond its own limit that a proof has to end
FRONT_END: Final = "the front end"  # in the place of a property, where an edited text is no model


@dataclass(frozen=True, slots=True)
class Model:
    """One model that is to be right. `seconds` of a question: for its proof."""

    program: p.Program
    question: Question


@dataclass(frozen=True, slots=True)
class Plan:
    """`within`: bodies to change, None for all; `cost`: all repairs up to this one, None for the cheapest; `most`: where to stop if there
    is none; `deadline`: of time.monotonic(); `jobs`: proofs at a time; `ask`: what proves a text, in a process of its own."""

    lock: str
    within: frozenset[str] | None
    cost: int | None
    most: int
    deadline: float
    jobs: int
    ask: Callable[[Question], Report | Refused]
    tell: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Repair:
    """`edits`: what it changes; `texts`: the files that are another then; `reports`: of the models, each proved."""

    edits: tuple[Edit, ...]
    texts: Mapping[str, str]
    reports: tuple[Report, ...]

    @property
    def cost(self) -> int:
        """What its edits cost together."""
        return sum(edit.cost for edit in self.edits)

    @property
    def acts(self) -> frozenset[Act]:
        """What it does to the text."""
        return acts_of(self.edits)


@dataclass(slots=True)
class Found:
    """`before`: the models as they are; `looked_at`: sets of edits; `ruled_out`: of them, by the property that they violate;
    `complete`: nothing that costs no more than `cost` was left out; None: there is nothing else at all. `open`: sets of which it is not
    known, and why; `stopped`: why the search ended early."""

    offered: Offer
    spelled: Mapping[Kind, str]
    sources: Mapping[str, Source]
    before: tuple[Report, ...] = ()
    repairs: list[Repair] = field(default_factory=list)
    looked_at: int = 0
    ruled_out: dict[str, int] = field(default_factory=dict)
    open: list[tuple[tuple[Edit, ...], str]] = field(default_factory=list)
    cost: int | None = None
    stopped: str = ""
    interrupted: bool = False
    seconds: float = 0.0


class NothingToRepair(Exception):
    """Every model is proved as it is."""


def acts_of(edits: Collection[Edit]) -> frozenset[Act]:
    """All that these edits do."""
    return frozenset(act for edit in edits for act in edit.acts)


def search(models: Sequence[Model], plan: Plan, crew: Crew) -> Found:
    """Raises NoSuchLock, NothingToRepair, InternalError."""
    return _Search(models, plan, crew).run()


@dataclass(slots=True)
class _Asked:
    """A candidate that is being proved; `supposed`: that it is a repair, which is to be settled."""

    edits: tuple[Edit, ...]
    supposed: int
    texts: Mapping[str, str]
    futures: list[Future[Any]]


class _Search:
    def __init__(self, models: Sequence[Model], plan: Plan, crew: Crew) -> None:
        self._begun = time.monotonic()
        self._models = models
        self._plan = plan
        self._crew = crew
        programs = [flat(model.program) for model in models]
        known = [operations(program, plan.lock) for program in programs]
        self._same(known)
        self._programs = list(zip(programs, known, strict=True))
        offered = offer(self._programs, plan.within)
        sources = {file: source for model in models for file, source in files_of(model.program.sources).items()}
        self._found = Found(offered, known[0].spelled, sources)
        self._candidates = Candidates(offered, plan.most if plan.cost is None else plan.cost)
        self._keys = [keys_of(*one) for one in self._programs]
        self._walkers: dict[int, Walker] = {}
        self._pending: list[_Asked] = []
        self._noted: list[int] = []  # signals that have come

    def _same(self, known: Sequence[Operations]) -> None:
        """One more statement must be written in the same way everywhere."""
        for model, one in zip(self._models, known, strict=True):
            if one.spelled != known[0].spelled:
                told = " and ".join(f"`{ops.spelled['lock']}`" for ops in (known[0], one))
                raise NoSuchLock(f"`{self._plan.lock}` is taken by {told}", f"{model.program.file} has procedures of its own for it")

    def run(self) -> Found:
        found = self._found
        try:
            with interrupts() as self._noted:  # raised in the middle of the solver's own code, it would be lost
                self._all()
        except KeyboardInterrupt:
            found.interrupted = True
            found.stopped = "interrupted"
        except _OutOfTime:
            found.stopped = "out of time"
        except Unsettled as gave_up:
            found.stopped = f"the solver that chooses edits gave up: {gave_up}"
        found.repairs = self._least()
        found.seconds = time.monotonic() - self._begun
        return found

    def _all(self) -> None:
        """Raises NothingToRepair, KeyboardInterrupt, _OutOfTime, Unsettled."""
        found = self._found
        found.before = tuple(self._answers(self._ask({})))
        if all(report.verdict is Verdict.PROVED for report in found.before):
            raise NothingToRepair
        self._look()

    # ------------------------------------------------------------ candidates

    def _look(self) -> None:
        """Until there is no candidate left that matters."""
        while True:
            self._look_at_the_clock()
            self._tell()
            edits = None if len(self._pending) >= self._plan.jobs else self._candidates.next(self._bound())
            if edits is None and self._pending:
                self._settle(self._pending.pop(0))
            elif edits is None:
                break
            elif self._pending and self._cheapest_only and _cost(edits) > min(_cost(one.edits) for one in self._pending):
                self._settle(self._pending.pop(0))  # if that is a repair, this one is not wanted
            else:
                self._judge(edits)
        found = self._found
        found.cost = None if not found.open and not self._candidates.left() else self._bound()

    @property
    def _cheapest_only(self) -> bool:
        return self._plan.cost is None

    def _bound(self) -> int:
        """How much a candidate may cost."""
        if self._plan.cost is not None:
            return self._plan.cost
        return min((repair.cost for repair in self._found.repairs), default=self._plan.most)

    def _judge(self, edits: tuple[Edit, ...]) -> None:
        """Look for a violation; what shows none is put to the engines."""
        self._found.looked_at += 1
        acts = acts_of(edits)
        for number in range(len(self._models)):
            self._look_at_the_clock()
            if self._is_as_before(number, acts):
                continue
            with suppress(TooMany):
                run = hunt(self._edited(number, acts), FEW)
                if run is not None:
                    self._refute(number, run, edits)
                    return
        texts = changed(self._found.sources, acts, self._found.spelled)
        self._candidates.rule_out_exactly(edits)  # nobody else looks at it meanwhile
        self._pending.append(_Asked(edits, self._candidates.suppose(edits), texts, self._ask(texts)))

    def _is_as_before(self, number: int, acts: frozenset[Act]) -> bool:
        """Whether a model is proved as it is, and these acts change nothing that one of its threads comes to."""
        if self._found.before[number].verdict is not Verdict.PROVED:
            return False
        return not any(act.key in self._keys[number] for act in acts)

    def _refute(self, number: int, run: Run, edits: tuple[Edit, ...]) -> None:
        """Rule out whatever leaves this run possible."""
        self._found.ruled_out[run.prop] = self._found.ruled_out.get(run.prop, 0) + 1
        self._candidates.rule_out(diagram(self._walker(number), run, acts_of(edits)))
        if self._candidates.allows(edits):  # the run was too long to be followed
            self._candidates.rule_out_exactly(edits)

    def _walker(self, number: int) -> Walker:
        if number not in self._walkers:
            self._walkers[number] = Walker(embedded(*self._programs[number], self._candidates.acts))
        return self._walkers[number]

    def _edited(self, number: int, acts: frozenset[Act]) -> p.Program:
        return applied(*self._programs[number], acts)

    # ------------------------------------------------------------ proofs

    def _ask(self, texts: Mapping[str, str]) -> list[Future[Any]]:
        left = max(1.0, self._plan.deadline - time.monotonic())
        questions = [replace(model.question, texts=texts, seconds=min(model.question.seconds, left)) for model in self._models]
        return [self._crew.executor.submit(Within(one.seconds + GRACE, self._plan.ask), one) for one in questions]

    def _answers(self, futures: Sequence[Future[Any]]) -> list[Report]:
        """Raises _OutOfTime, and what an engine's process raises."""
        answers = [self._answer(future) for future in futures]
        refused = next((one for one in answers if isinstance(one, Refused)), None)
        if refused is not None:
            raise _NoModel(refused.message)
        return [one for one in answers if isinstance(one, Report)]

    def _answer(self, future: Future[Any]) -> Report | Refused:
        while True:
            try:
                answer = future.result(timeout=0.2)
            except TimeoutError:
                self._look_at_the_clock()
                continue
            assert isinstance(answer, Report | Refused)
            return answer

    def _settle(self, one: _Asked) -> None:
        repair = self._proved(one)
        self._candidates.settle(one.supposed, repair=repair is not None)
        if repair is not None:
            self._found.repairs.append(repair)

    def _proved(self, one: _Asked) -> Repair | None:
        """None if it is no repair, or not known to be one, which is noted."""
        try:
            reports = self._answers(one.futures)
        except _NoModel:
            self._found.ruled_out[FRONT_END] = self._found.ruled_out.get(FRONT_END, 0) + 1
            return None
        except (Lost, Overdue) as error:
            self._found.open.append((one.edits, str(error)))
            return None
        for number, report in enumerate(reports):
            if report.verdict is Verdict.VIOLATED:
                self._violated(number, report, one.edits)
                return None
        undecided = [result for report in reports for result in report.properties if result.verdict is not Verdict.PROVED]
        if undecided:
            self._found.open.append((one.edits, f"{undecided[0].name}: {undecided[0].reason}"))
            return None
        return Repair(one.edits, one.texts, tuple(reports))

    def _violated(self, number: int, report: Report, edits: tuple[Edit, ...]) -> None:
        """The engines have found what was not seen here: liveness, something far away, or a deadlock that is one only where nobody could
        come to what other edits put there. Raises InternalError where it should have been seen."""
        violated = [result for result in report.properties if result.verdict is Verdict.VIOLATED]
        with suppress(TooMany):
            run = hunt(self._edited(number, acts_of(edits)), MANY)
            if run is not None:
                self._refute(number, run, edits)
                return
            odd = next((result.name for result in violated if result.kind not in ("liveness", "deadlock")), None)
            if odd is not None:
                raise InternalError(f"{odd}: {report.file} violates it as text, and not as the program that was looked at")
        self._found.ruled_out[violated[0].name] = self._found.ruled_out.get(violated[0].name, 0) + 1

    # ------------------------------------------------------------ the end

    def _least(self) -> list[Repair]:
        """The repairs that have no other in them, the cheapest first; of the cheapest only, if nothing else is asked for."""
        found = self._found.repairs
        least = min((repair.cost for repair in found), default=0)
        kept = [one for one in found if not any(other is not one and within(other.edits, one.edits) for other in found)]
        kept = [one for one in kept if not self._cheapest_only or one.cost == least]
        order = {edit: number for number, edit in enumerate(self._found.offered.edits)}
        return sorted(kept, key=lambda one: (one.cost, [order[edit] for edit in one.edits]))

    def _look_at_the_clock(self) -> None:
        if self._noted:
            raise KeyboardInterrupt
        if time.monotonic() > self._plan.deadline:
            raise _OutOfTime

    def _tell(self) -> None:
        found = self._found
        told = f"{found.looked_at} looked at, {len(found.repairs)} repairs"
        self._plan.tell(f"{told}, {len(self._pending)} being proved" if self._pending else told)


class _OutOfTime(Exception):
    """The deadline has passed."""


class _NoModel(Exception):
    """The front end does not take an edited text; the message says why."""


def _cost(edits: Sequence[Edit]) -> int:
    return sum(edit.cost for edit in edits)


def within(less: Sequence[Edit], more: Sequence[Edit]) -> bool:
    """Whether each of these edits is one of those, or less of the same, each of another."""
    if not less:
        return True
    first, rest = less[0], less[1:]
    return any((first == other or first.below(other)) and within(rest, [one for one in more if one is not other]) for other in more)
