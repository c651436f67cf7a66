"""`formal prove MODEL -D NAME=LO..*`: every property for every size of a family.

In: parsed arguments in which -D gives some parameters no upper bound. Out: one report a model. From some size on the `families` engine
proves for all sizes at once; smaller ones are looked at one by one. What is shown as violated is so at a size that was looked at, and is
shown as of that size.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from formal.codes import Code
from formal.commands.executing import hired
from formal.commands.remembering import cache_of, kept, recalled
from formal.console import UsageError, answer, definitions, say, say_diagnostics
from formal.diagnostics import Diagnostic
from formal.engines import AUTO, BMC, FAMILIES, LARGE
from formal.executor.calls import PROCESSES, ExecutorError, Lost
from formal.executor.crew import Crew
from formal.frontend import load
from formal.frontend.assembly import digest
from formal.pipeline import Answer, Request, prove, select
from formal.program import Program
from formal.progress import ProgressLine
from formal.sweep import unbounded
from formal.verdict import PropertyResult, Report, Verdict

if TYPE_CHECKING:
    from formal.certificates.ways import Way

LOOKED_AT: Final = 3  # sizes that are looked at one by one for what is not proved for all
ASKED: Final = 16  # the size that the engine is asked about: no fewer than it needs

Sizes = Mapping[str, int]


@dataclass(slots=True)
class _Seen:
    """What was found about one model. `large`: of all sizes from some on; `small`: of single sizes; `missing`: why some sizes are not
    covered, by property; the empty name: all."""

    large: list[Report] = field(default_factory=list)
    small: list[Report] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def check_any_size(arguments: argparse.Namespace) -> None:
    """What such a proof does not go with. Raises UsageError."""
    if arguments.depth is not None:
        raise UsageError("--depth goes without -D NAME=LO..*", "no number of steps says anything about every size")
    if arguments.contract:
        raise UsageError("--contract goes without -D NAME=LO..*", "give the parameters one value each")
    if arguments.engine == BMC:
        hint = "it goes step by step, without end where there is a loop; leave it to others, or give the parameters one value each"
        raise UsageError(f"--engine {BMC} goes without -D NAME=LO..*", hint)


@dataclass(frozen=True, slots=True)
class Told:
    """The answer for one model. `unsaved`: it was to be recorded, and is not."""

    answer: Answer
    unsaved: bool = False


def prove_any_size(arguments: argparse.Namespace, begun: float, watcher: ProgressLine) -> list[Told] | None:
    """The answers, one a model; None if one of them is bad, which is said. Raises UsageError."""
    defines = definitions(arguments.defines)
    least = unbounded(defines)
    fixed = {name: value for name, value in defines.items() if name not in least}
    models = dict.fromkeys(arguments.models)
    good = [_good(path, least, fixed, arguments) for path in models]
    if not all(good):
        return None
    questions = [_Question(path, least, fixed, arguments, begun, watcher) for path in models]
    if arguments.save is None:
        return [Told(question.answer()) for question in questions]
    ways = [_ways(question.program, least, arguments) for question in questions]
    return [_saved(question.answer(), least, way, arguments, begun, watcher) for question, way in zip(questions, ways, strict=True)]


def _ways(program: Program, least: Sizes, arguments: argparse.Namespace) -> list[Way]:
    """What a record of every size may be of, the first choice first. Raises UsageError."""
    from formal.certificates.crowded import Unsuited
    from formal.certificates.ways import ways

    try:
        return ways(program, least, tuple(arguments.extra))
    except Unsuited as reason:
        raise UsageError(
            f"--save: {program.file} has no certificate for every {_named(least)}: {reason}", "without --save it can be proved"
        ) from None


def _named(least: Sizes) -> str:
    return " and ".join(least)


def _saved(found: Answer, least: Sizes, ways: Sequence[Way], arguments: argparse.Namespace, begun: float, watcher: ProgressLine) -> Told:
    """The answer, with its record written; as it was where there is nothing to record, which is said."""
    from formal.certificates.crowded import Unsuited
    from formal.certificates.record import file_name, render

    report = found.report
    deadline = None if arguments.timeout is None else begun + arguments.timeout
    if found.interrupted or report.verdict is not Verdict.PROVED:
        why = "not everything is decided" if report.verdict is not Verdict.VIOLATED else "something is violated"
        say(f"{report.file}: no record of every {_named(least)}, {why}")
        return Told(found, unsaved=True)

    def progress(note: str) -> None:
        if deadline is not None and time.monotonic() > deadline:
            raise Unsuited("the time was up")
        watcher.note(note)

    listing = reason = None
    for way in ways:
        try:
            listing = way([result.name for result in report.properties], progress)
            break
        except Unsuited as problem:
            reason = problem
    if listing is None:
        say(f"{report.file}: no record of every {_named(least)}: {reason}")
        return Told(found, unsaved=True)
    path = str(Path(arguments.save) / file_name(report))
    answer(render(report, None, (), None, {}, {}, listing).removesuffix("\n"), path)
    certified = tuple(replace(one, certificate=path) for one in report.properties)
    return Told(replace(found, report=replace(report, properties=certified)))


def _good(path: str, least: Sizes, fixed: Mapping[str, str], arguments: argparse.Namespace) -> bool:
    """Whether a model can be asked about; what is wrong with it, or with the question, is said."""
    loaded = load(path, _defines(fixed, least), arguments.extra)
    program = loaded.program
    problems = [] if program is None else [problem for name in least if (problem := _bounded(program, name)) is not None]
    if program is None or problems or not arguments.quiet:
        say_diagnostics((*loaded.diagnostics, *problems))
    return program is not None and not problems


def _bounded(program: Program, name: str) -> Diagnostic | None:
    """What is wrong with a parameter that is to have no upper bound."""
    counted = program.counts.get(name)
    if counted is None:
        return Diagnostic(Code.PARAM_VALUE, f"-D {name}=…..*: `{name}` is no whole number", None)
    if counted.high is None:
        return None
    text = f"-D {name}=…..*: `{name}` takes {counted.low}..{counted.high}"
    return Diagnostic(Code.PARAM_VALUE, text, None, hint=f"it has no upper bound if it is declared as `param {name} in {counted.low}..*`")


def _defines(fixed: Mapping[str, str], sizes: Sizes) -> dict[str, str]:
    return {**fixed, **{name: str(value) for name, value in sizes.items()}}


class _Question:
    """One model, all sizes."""

    def __init__(
        self, path: str, least: Sizes, fixed: Mapping[str, str], arguments: argparse.Namespace, begun: float, watcher: ProgressLine
    ) -> None:
        self._path = path
        self._least = least
        self._fixed = fixed
        self._arguments = arguments
        self._begun = begun
        self._watcher = watcher
        self._deadline = None if arguments.timeout is None else begun + arguments.timeout
        self._cache = cache_of(arguments)
        program = self.program = self._load(least)
        names, useless = select(program, tuple(arguments.patterns))
        if useless:
            known = ", ".join(prop.name for prop in program.properties)
            raise UsageError(f"--property {useless[0]} matches no property of {path}", f"it has {known}")
        self._names = names
        self._seen = _Seen()
        self._engine = "explicit" if arguments.engine == AUTO else arguments.engine  # for one size
        self._early: dict[int, Future[Any]] = {}
        living = {prop.name for prop in program.properties if prop.kind == "liveness"}
        self._safety = tuple(name for name in names if name not in living)
        self._living = tuple(name for name in names if name in living)
        self._open = names  # what an interruption leaves open

    def _load(self, sizes: Sizes) -> Program:
        """Raises UsageError where the model has no such size."""
        program = load(self._path, _defines(self._fixed, sizes), self._arguments.extra).program
        if program is None:
            told = ", ".join(f"{name}={value}" for name, value in sizes.items())
            raise UsageError(f"{self._path} is no model with {told}", f"formal check {self._path} -D {told.replace(', ', ' -D ')} says why")
        return program

    def answer(self) -> Answer:
        """All sizes; one of them, if something is violated there. The smallest are looked at beside the large ones: they have to be in
        any case. Raises UsageError."""
        with hired(PROCESSES, 1) as crew:
            if len(self._least) == 1 and self._safety and self._arguments.jobs != 1:
                ((name, low),) = self._least.items()
                for value in range(low, LARGE):
                    self._early[value] = self._submitted(crew, {name: value})
            odd = self._region({}, self._least) or self._lives()
        return odd if odd is not None and not odd.interrupted else self._combined(odd)

    def _submitted(self, crew: Crew, sizes: Sizes) -> Future[Any]:
        program, request = self._request(sizes, self._engine, self._safety)
        # The deadline is one there, too: it is the same machine.
        return crew.executor.submit(prove, program, recalled(self._cache, program, request))

    def _region(self, single: Sizes, least: Sizes) -> Answer | None:
        """All sizes from `least` on, with `single` ones: those for which something is proved at once, then the others. The answer that ends
        it, if one does: a violation, or Ctrl-C."""
        asked = {**single, **{name: max(ASKED, low) for name, low in least.items()}}
        found = self._ask(asked, FAMILIES, self._names)
        self._seen.large.append(found.report)
        if found.interrupted:
            return found
        first = {name: self._first(found.report, name, low) for name, low in least.items()}
        starts = {name: size for name, size in first.items() if size is not None}
        if len(starts) < len(first):
            return self._some(single, least)
        done: dict[str, int] = {}
        for name, low in least.items():
            rest = {other: starts.get(other, 0) if other in done else start for other, start in least.items() if other != name}
            for value in range(low, starts[name]):
                here = {**single, name: value}
                odd = self._region(here, rest) if rest else self._one(here)
                if odd is not None:
                    return odd
            done[name] = starts[name]
        return None

    def _first(self, report: Report, name: str, low: int) -> int | None:
        """From which size on all is so that the engine has proved, now or in an earlier run; None if it has proved nothing, or something
        not for all sizes."""
        proved = [dict(result.least) for result in report.properties if result.verdict is Verdict.PROVED]
        return max(low, *(sizes[name] for sizes in proved)) if proved and all(name in sizes for sizes in proved) else None

    def _some(self, single: Sizes, least: Sizes) -> Answer | None:
        """A few sizes, where nothing is proved for all."""
        self._seen.missing[""] = "not proved for all sizes"
        for sizes in _smallest(least):
            odd = self._one({**single, **sizes})
            if odd is not None:
                return odd
        return None

    def _lives(self) -> Answer | None:
        """A few sizes, for liveness, which is not proved for all: after all else, which does not wait for it. The answer that ends it."""
        self._open = self._living
        for sizes in _smallest(self._least) if self._living else ():
            found = self._ask(sizes, self._engine, self._names)
            if found.report.verdict is Verdict.VIOLATED or found.interrupted:
                return found
            living = tuple(result for result in found.report.properties if result.name in self._living)
            self._seen.small.append(replace(found.report, properties=living))
        return None

    def _one(self, sizes: Sizes) -> Answer | None:
        """One size, but for liveness; its answer, if it ends the whole."""
        if not self._safety:
            return None
        found = self._ask(sizes, self._engine, self._safety)
        if found.report.verdict is Verdict.VIOLATED or found.interrupted:
            return found
        self._seen.small.append(found.report)
        return None

    def _ask(self, sizes: Sizes, engine: str, names: tuple[str, ...]) -> Answer:
        program, request = self._request(sizes, engine, names)
        early = self._early.pop(next(iter(sizes.values())), None) if engine == self._engine and names == self._safety else None
        found = None if early is None else self._awaited(early)
        if found is None:
            found = prove(program, recalled(self._cache, program, request), self._watcher)
        return kept(self._cache, program, request, found)

    def _awaited(self, early: Future[Any]) -> Answer | None:
        """What was found beside; None if that was lost."""
        try:
            answer: Answer = early.result()
        except KeyboardInterrupt:
            return Answer(self._seen.large[0], True, ())
        except (ExecutorError, Lost, CancelledError):
            return None
        return answer

    def _request(self, sizes: Sizes, engine: str, names: tuple[str, ...]) -> tuple[Program, Request]:
        request = Request(
            names,
            None,
            engine,
            self._arguments.jobs,
            self._deadline,
            self._begun,
            _defines(self._fixed, sizes),
            tuple(self._arguments.extra),
            self._arguments.stats,
            frozenset(self._arguments.without),
        )
        return self._load(sizes), request

    # ------------------------------------------------------------ the report

    def _combined(self, ended: Answer | None) -> Answer:
        """The answer for all sizes. `ended`: what was interrupted."""
        first = self._seen.large[0]
        words = {name: f"{low}..*" for name, low in self._least.items()}
        parameters = {**first.parameters, **words}
        report = replace(
            first,
            parameters=parameters,
            digest=digest(first.sources, parameters),
            defines={**self._fixed, **words},
            properties=tuple(
                self._result(result, interrupted=ended is not None and result.name in self._open) for result in first.properties
            ),
            seconds=time.monotonic() - self._begun,
        )
        return Answer(report, ended is not None, () if ended is None else ended.crashes)

    def _result(self, first: PropertyResult, *, interrupted: bool) -> PropertyResult:
        """What is known of one property for all sizes: proved if it is so of all that is large, and of all that is small."""
        large = _of(self._seen.large, first.name)
        small = _of(self._seen.small, first.name)
        proved = all(result.verdict is Verdict.PROVED for result in (*large, *small))
        sizes = "; ".join(self._told(first.name))
        if proved and not interrupted and not self._seen.missing:
            return replace(first, reason=first.reason + (f"; {sizes}: each by itself" if sizes else ""))
        reasons = dict.fromkeys(result.reason for result in (*large, *small) if result.verdict is not Verdict.PROVED)
        held = f"; {sizes}: proved" if sizes and all(result.verdict is Verdict.PROVED for result in small) else ""
        why = "interrupted" if interrupted else next(iter(reasons), self._seen.missing.get("", ""))
        return replace(first, verdict=Verdict.UNDECIDED, engine="", reason=why + held, then=None)

    def _told(self, prop: str) -> Iterator[str]:
        """The sizes at which a property was looked at one by one: "VCPUS = 1 to 7"."""
        for name in self._least:
            values = sorted({int(report.parameters[name]) for report in self._seen.small if _of([report], prop)})
            if values:
                yield f"{name} = {values[0]}" + (f" to {values[-1]}" if len(values) > 1 else "")


def _smallest(least: Sizes) -> list[Sizes]:
    """A few sizes, the smallest first."""
    values = product(*(range(low, low + LOOKED_AT) for low in least.values()))
    ordered = sorted(values, key=lambda sizes: (sum(sizes), sizes))
    return [dict(zip(least, one, strict=True)) for one in ordered[:LOOKED_AT]]


def _of(reports: Iterable[Report], name: str) -> list[PropertyResult]:
    """What they say of a property, where it was asked about."""
    return [result for report in reports for result in report.properties if result.name == name]
