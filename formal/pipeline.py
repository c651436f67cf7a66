"""From a program to its report: the composition of the engines, the replay of what they found, and nothing else.

In: a typed program and what is asked of it. Out: a `Report` whose every witness has been replayed through the interpreter, on its own
reading of the language. It must not print, read files, or know an engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from formal.cache import Known, Remembered
from formal.diagnostics import InternalError
from formal.engines import AUTO, FAMILIES, LEMMAS, contenders
from formal.engines.protocol import CONE, Finding, Options, Outline
from formal.outlining import Outlining
from formal.program import DEADLOCK_LOCK_ORDER, Program, Property
from formal.race import Disagreement, Outcome, Settled, Silent, Watcher, race
from formal.verdict import PropertyResult, Report, SourceRef, Trace, Verdict, Witness

_LINGER = 1.0  # seconds for the figures, which an engine tells last
Replay = Callable[[Trace], Witness]


Searcher: TypeAlias = Callable[[Program, Options, Watcher], Outcome]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of one program. `properties`: names to settle; `deadline`: of time.monotonic(); `begun`: when the command began;
    `defines` and `extra`: what it was loaded with; `statistics`: the figures are wanted, too;
    `without`: reductions to leave out; `outline`: what holds where is wanted, too, if all is proved; `remembered`: of earlier runs;
    `contract` and `around`: of the report."""

    properties: tuple[str, ...]
    depth: int | None = None
    engine: str = "auto"
    jobs: int | None = None
    deadline: float | None = None
    begun: float = field(default_factory=time.monotonic)
    defines: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    statistics: bool = False
    without: frozenset[str] = frozenset()
    outline: bool = False
    remembered: Remembered = field(default_factory=Remembered)
    contract: str = ""
    around: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`crashes`: engines that broke down, and how. The others' findings stand. `found`: what is worth remembering, found now."""

    report: Report
    interrupted: bool
    crashes: tuple[tuple[str, str], ...]
    found: Remembered = field(default_factory=Remembered)


def select(program: Program, patterns: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the properties that match one of the globs (no glob: all), in order of the report; and the globs that match nothing."""
    names = tuple(prop.name for prop in program.properties)
    if not patterns:
        return names, ()
    chosen = tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))
    return chosen, tuple(pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in names))


def prove(program: Program, request: Request, watcher: Watcher | None = None, search: Searcher | None = None) -> Answer:
    """Settle the properties asked for. `search`: who looks instead of the engines side by side. Raises Disagreement when two engines, or an
    engine and the interpreter, contradict each other."""
    watcher = watcher or Silent()
    replay = _replayer(program)
    stands = _stands(program, request, replay)
    options = Options(request.properties, request.depth, without=request.without, extra=request.extra)
    with ExitStack() as stack:
        beside = stack.enter_context(Outlining(program, options)) if _outlined(request) else None
        outcome = _search(program, options, stands, watcher, search or _Engines(program, request, beside))
        asked = [prop for prop in program.properties if prop.name in set(request.properties)]
        results = tuple(stands.get(prop.name) or _result(prop, outcome, request, replay) for prop in asked)
        shown = not outcome.interrupted and all(result.verdict is Verdict.PROVED for result in results)
        outline = outcome.outline or request.remembered.outline
        if beside is not None and outline is None:
            outline = beside.result(request.deadline if shown else time.monotonic())
        _agree(outline, results)
        outline = outline if request.engine != AUTO or (shown and request.outline) else None
    report = Report(
        model=program.name,
        title=program.title,
        file=program.file,
        digest=program.digest,
        parameters=program.parameters,
        depth=request.depth,
        seconds=time.monotonic() - request.begun,
        assumptions=program.assumptions,
        properties=results,
        warnings=(*(_crash_warning(name) for name, _ in outcome.crashes), *_lock_order(program, results)),
        statistics=outcome.statistics if len(stands) < len(asked) else request.remembered.figures,
        defines=request.defines,
        extra=request.extra,
        sources=program.sources,
        invariant=() if outline is None else outline.lines,
        follows=() if outline is None else outline.proves,
        contract=request.contract,
        around=request.around,
    )
    return Answer(report, outcome.interrupted, outcome.crashes, _found(outcome, outline, request, report))


def _outlined(request: Request) -> bool:
    """Whether an outline is looked for beside the search: not where it would take a processor away from the only engine, nor where it is
    known."""
    return request.outline and request.engine == AUTO and request.depth is None and request.jobs != 1 and request.remembered.outline is None


def _stands(program: Program, request: Request, replay: Replay) -> dict[str, PropertyResult]:
    """What is known of the properties asked for, by name. A violation that does not replay is not known: it is searched for again."""
    found = {}
    for prop in program.properties:
        known = request.remembered.findings.get(prop.name)
        if known is not None and prop.name in request.properties:
            with suppress(Disagreement, LookupError, TypeError, ValueError):  # the entry is not what it was written as
                found[prop.name] = replace(_settled(prop, Settled(known.engine, known.finding), request, replay), then=known.seconds)
    return found


def _found(outcome: Outcome, outline: Outline | None, request: Request, report: Report) -> Remembered:
    """What later runs need not look for: what was settled now, and that there is an outline or none, unless the time was too short."""
    findings = {name: Known(one.engine, one.finding, report.seconds) for name, one in outcome.settled.items()}
    looked = _outlined(request) and report.verdict is Verdict.PROVED and not outcome.interrupted
    if outline is None and looked and (request.deadline is None or time.monotonic() < request.deadline):
        outline = Outline((), ())
    return Remembered(findings, outline if looked else None, outcome.statistics)


def _search(program: Program, options: Options, stands: Mapping[str, PropertyResult], watcher: Watcher, search: Searcher) -> Outcome:
    """Somebody at what is not known, on the part of the program that it depends on."""
    from formal.rewriting.cone import Cone, cone

    options = replace(options, properties=tuple(name for name in options.properties if name not in stands))
    part = Cone(program) if CONE in options.without else cone(program, options.properties)
    outcome = search(part.program, options, watcher)
    settled = {name: _marked(settled, part.left_out) for name, settled in outcome.settled.items()}
    figures = {"cone.variables left out": len(part.left_out)} if CONE not in options.without else {}
    return replace(outcome, settled=settled, statistics={**figures, **outcome.statistics})


@dataclass(frozen=True, slots=True)
class _Engines:
    """The engines side by side. `program`: the whole of it; `outlining`: at work already."""

    program: Program
    request: Request
    outlining: Outlining | None

    def __call__(self, part: Program, options: Options, watcher: Watcher) -> Outcome:
        request = self.request
        engines = contenders(request.engine, self.program, request.depth)
        if FAMILIES in engines and not _as_written(self.program, request):
            options = replace(options, as_written=False)
            engines = engines if len(engines) == 1 else tuple(name for name in engines if name != FAMILIES)
        beside = {LEMMAS: self.outlining.child} if self.outlining is not None and LEMMAS in engines else {}
        return race(
            part,
            options,
            [name for name in engines if name not in beside],
            jobs=request.jobs,
            deadline=request.deadline,
            linger=_LINGER if request.statistics else 0.0,
            beside=beside,
            watcher=watcher,
        )


def _as_written(program: Program, request: Request) -> bool:
    """Whether the program is what its text says: none that was put together otherwise, or had something changed in it."""
    from formal.fingerprint import fingerprint
    from formal.frontend import resized

    same = resized(program, {}, request.extra)
    return same is not None and fingerprint(same) == fingerprint(program)


def _marked(settled: Settled, omitted: frozenset[str]) -> Settled:
    """The finding, its trace with what it cannot show."""
    trace = settled.finding.trace
    return settled if trace is None else replace(settled, finding=replace(settled.finding, trace=replace(trace, omitted=omitted)))


def _agree(outline: Outline | None, results: tuple[PropertyResult, ...]) -> None:
    """Raises Disagreement if something is violated that follows from the outline."""
    for result in results:
        if outline is not None and result.verdict is Verdict.VIOLATED and result.name in outline.proves:
            raise Disagreement(f"{result.name}: {result.engine} says violated, lemmas says that it follows from where locks are held")


def _crash_warning(engine: str) -> str:
    return f"the {engine} engine broke down; what it had not settled rests on the others"


def _lock_order(program: Program, results: tuple[PropertyResult, ...]) -> tuple[str, ...]:
    """Cycles in the static lock order, where no violation shows one being closed."""
    if not any(result.name == DEADLOCK_LOCK_ORDER and result.verdict is not Verdict.VIOLATED for result in results):
        return ()
    from formal.smt.cfg import EncodingLimitError
    from formal.smt.lock_order import lock_order_cycles

    try:
        return tuple(lock_order_cycles(program))
    except EncodingLimitError as error:
        return (f"the static lock order was not looked at: {error}",)


def load_lock_order() -> None:
    """Loads what the static lock order is looked at with: there is time for it while the engines are at work."""
    import formal.smt.lock_order  # noqa: F401


def _replayer(program: Program) -> Replay:
    """Replays through the interpreter, which is built when the first trace needs it."""
    machine = None

    def replayed(trace: Trace) -> Witness:
        nonlocal machine
        from formal import interp

        machine = machine or interp.Machine(program)
        return interp.replay(machine, trace)

    return replayed


def _result(prop: Property, outcome: Outcome, request: Request, replay: Replay) -> PropertyResult:
    settled = outcome.settled.get(prop.name)
    if settled is None:
        return PropertyResult(prop.name, prop.kind, _source(prop), Verdict.UNDECIDED, None, "", _why_open(prop, outcome))
    return _settled(prop, settled, request, replay)


def _source(prop: Property) -> SourceRef | None:
    return None if prop.span is None else SourceRef(prop.span.source.path, prop.span.line)


def _settled(prop: Property, settled: Settled, request: Request, replay: Replay) -> PropertyResult:
    """Raises Disagreement."""
    finding = settled.finding
    witness = _witness(settled, replay) if finding.verdict is Verdict.VIOLATED else None
    depth = len(witness.steps) if witness is not None else finding.depth
    if finding.verdict is Verdict.PROVED:
        depth = None
    if finding.verdict is Verdict.PROVED_UP_TO and request.depth is not None:
        depth = request.depth
    result = PropertyResult(prop.name, prop.kind, _source(prop), finding.verdict, depth, settled.engine, finding.reason, witness)
    return replace(result, least=finding.least)


def _witness(settled: Settled, replay: Replay) -> Witness:
    finding: Finding = settled.finding
    if finding.trace is None:
        raise Disagreement(f"{finding.prop}: {settled.engine} says violated, and has no trace to show for it")
    try:
        witness = replay(finding.trace)
    except InternalError as error:
        raise Disagreement(f"{finding.prop}: {settled.engine} says violated; the interpreter says: {error}") from error
    if len(witness.steps) != len(finding.trace.moves):
        raise Disagreement(f"{finding.prop}: {settled.engine} took {len(finding.trace.moves)} steps, the interpreter {len(witness.steps)}")
    return witness


def _why_open(prop: Property, outcome: Outcome) -> str:
    """One line: what stopped the search, what is known all the same, what to try."""
    if outcome.interrupted:
        cause = "interrupted"
    elif outcome.timed_out:
        cause = "out of time"
    else:
        told = [f"{engine}: {reason}" for engine, reason in outcome.reasons.get(prop.name, ())]
        told += [f"{engine}: broke down" for engine, _ in outcome.crashes]
        cause = "; ".join(told) or "no engine settled it"
    covered = outcome.covered.get(prop.name, -1)
    known = f"; no violation within {covered} steps" if covered >= 0 and prop.kind != "liveness" else ""
    advice = "; try a longer --timeout, smaller parameters, or --depth" if outcome.timed_out else ""
    return cause + known + advice
