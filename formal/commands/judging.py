"""One model of `formal regress`: held to its own `expect`, by proving it or by rechecking its record.

In: a model's path and the records that name it. Out: a row for the model, and one for each record of it under other parameters. A proof
that a record shows is not searched for again; what it does not show is proved again, and that alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from formal.cache import Cache
from formal.commands.remembering import kept, recalled
from formal.pipeline import Answer, Request, prove, select
from formal.program import Program
from formal.race import Disagreement
from formal.regress import depth_for, differences, expected
from formal.verdict import PropertyResult, Report, Verdict

if TYPE_CHECKING:
    from formal.certificates.checking import Checked
    from formal.certificates.record import Record
    from formal.certificates.solvers import Solver
    from formal.frontend import Loaded

_SOLVERS_AT_A_TIME = 1  # for each record: there are as many records at work as processors


@dataclass(frozen=True, slots=True)
class Row:
    """How one model, or one record, fared. `state`: a key of `EXITS` in `commands.regress`; `problems`: lines of text; `how` the verdict
    was found: "proved", "cached" (all of it), "proved again" or "rechecked"; `record`: the file, if there is one."""

    file: str
    state: str
    verdict: str
    expected: str
    seconds: float
    problems: tuple[str, ...]
    how: str = ""
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """What is stored in a folder. `of`: by model, the files and what they say; `solvers`: who is asked about them; `whole`: every model is
    to have one."""

    folder: str
    of: Mapping[str, Sequence[tuple[str, Record]]]
    solvers: tuple[Solver, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Task:
    """One model to judge. `records`: of this model, None if nothing is stored anywhere; `cache`: the folder of verdicts; `loaded`: the
    model, and `others`, what its records are about, by file: for those who have no files of ours."""

    path: str
    defines: Mapping[str, str]
    engine: str
    timeout: float
    records: Records | None
    cache: Path | None = None
    loaded: Loaded | None = None
    others: Mapping[str, Loaded] = field(default_factory=dict)


def judge(task: Task) -> tuple[Row, ...]:
    """The rows of one model."""
    return tuple(_judged(task))


def carried(task: Task) -> Task:
    """The task with everything in it that judging would read."""
    from formal.frontend import load

    stored = () if task.records is None else task.records.of.get(task.path, ())
    others = {path: _load_other(record) for path, record in stored if not _is_named_so(task, record)}
    return replace(task, loaded=load(task.path, task.defines, ()), others=others)


def _is_named_so(task: Task, record: Record) -> bool:
    """Whether the record is of the very model that is judged, by the same path: it quotes that."""
    return not record.defines and not record.extra and record.file == task.path


def _load_other(record: Record) -> Loaded:
    from formal.certificates.loading import load_for

    return load_for(record)


def _judged(task: Task) -> Iterator[Row]:
    from formal.frontend import load

    begun = time.monotonic()
    loaded = task.loaded or load(task.path, task.defines, ())
    program = loaded.program
    if program is None:
        problems = tuple(diagnostic.render() for diagnostic in loaded.diagnostics if diagnostic.is_error)
        yield Row(task.path, "bad model", "none", "", time.monotonic() - begun, problems)
        return
    stored = [] if task.records is None else list(task.records.of.get(task.path, ()))
    own = next((one for one in stored if not one[1].defines and not one[1].extra), None)
    yield _timed(_by_record(task, program, *own, begun) if own is not None else _by_proof(task, program, begun), begun)
    for one in stored:
        if one is not own:
            begun = time.monotonic()
            yield _timed(_other(task, *one, begun), begun)


def _timed(row: Row, begun: float) -> Row:
    return replace(row, seconds=time.monotonic() - begun)


# ---------------------------------------------------------------- by proof


def _by_proof(task: Task, program: Program, begun: float) -> Row:
    """The row of a model without a record."""
    wanted = expected(program.expectations)
    try:
        found = _prove(task, program, select(program, ())[0], begun)
    except Disagreement as error:
        return Row(task.path, "internal error", "none", wanted, 0.0, (str(error),), "proved")
    problems = [*differences(program.expectations, found.report), *_crashes(found)]
    state = "internal error" if found.crashes else "differs" if problems else "as recorded"
    verdict = found.report.verdict
    how = "cached" if all(result.then is not None for result in found.report.properties) else "proved"
    if task.records is None or not task.records.whole:
        return Row(task.path, state, _told(verdict), wanted, 0.0, tuple(problems), how)
    if verdict in (Verdict.PROVED, Verdict.VIOLATED):  # else there is nothing to record
        problems.append(f"it has no record; `formal prove {task.path} --save {task.records.folder}` makes one")
        state = "missing" if state == "as recorded" else state
    return Row(task.path, state, _told(verdict), wanted, 0.0, tuple(problems), how)


def _prove(task: Task, program: Program, names: tuple[str, ...], begun: float) -> Answer:
    """Raises Disagreement."""
    cache = None if task.cache is None else Cache(task.cache)
    request = Request(names, depth_for(program.expectations), task.engine, deadline=begun + task.timeout, begun=begun)
    return kept(cache, program, request, prove(program, recalled(cache, program, request)))


def _crashes(found: Answer) -> Iterator[str]:
    return (f"the {engine} engine broke down:\n{crash.rstrip()}" for engine, crash in found.crashes)


def _told(verdict: Verdict) -> str:
    return verdict.replace("_", " ")


# ---------------------------------------------------------------- by record


def _by_record(task: Task, program: Program, path: str, record: Record, begun: float) -> Row:
    """The row of a model with a record: rechecked, or proved again if it has changed since."""
    if program.digest == record.digest:
        named = program if _is_named_so(task, record) else (task.others.get(path) or _load_other(record)).program
        assert named is not None  # the same file
        row, report = _rechecked(task, named, path, record, begun)
        found = () if report is None else differences(program.expectations, report)
        state = "differs" if found and row.state == "as recorded" else row.state
        return replace(row, file=task.path, state=state, expected=expected(program.expectations), problems=(*row.problems, *found))
    row = _by_proof(replace(task, records=None), program, begun)
    state = "stale" if row.state == "as recorded" else row.state
    return replace(row, state=state, problems=(_stale(task, path, record), *row.problems), how="proved again", record=path)


def _other(task: Task, path: str, record: Record, begun: float) -> Row:
    """The row of a record under other parameters than the model's own: those are no matter of `expect`."""
    loaded = task.others.get(path) or _load_other(record)
    if loaded.program is None or loaded.program.digest != record.digest:
        return Row(path, "stale", "none", "", 0.0, (_stale(task, path, record),), "", path)
    return _rechecked(task, loaded.program, path, record, begun)[0]


def _stale(task: Task, path: str, record: Record) -> str:
    command = record.command(task.records.folder if task.records is not None else "")
    return f"{path} is the record of another version of it; `{command}` records it anew"


def _rechecked(task: Task, program: Program, path: str, record: Record, begun: float) -> tuple[Row, Report | None]:
    """The row of a record that is of this very model, and the report that it amounts to; None where it does not stand."""
    checked, how = _checked(task, program, record, begun)
    if checked.state not in ("stands", "nothing"):
        state = "internal error" if checked.state == "disagreement" else "differs"
        problems = tuple(f"{path}: {problem}" for problem in checked.problems)
        return Row(path, state, _told(record.verdict), "", 0.0, problems, how, path), None
    try:
        fresh = _prove(task, program, tuple(checked.unchecked), begun) if checked.unchecked else None
    except Disagreement as error:
        return Row(path, "internal error", "none", "", 0.0, (str(error),), "proved again", path), None
    report = _report(record, program, () if fresh is None else fresh.report.properties)
    problems = tuple(_changes(record, report)) + (() if fresh is None else tuple(_crashes(fresh)))
    state = "internal error" if fresh is not None and fresh.crashes else "differs" if problems else "as recorded"
    return Row(path, state, _told(report.verdict), "", 0.0, problems, _how(checked, how), path), report


def _checked(task: Task, program: Program, record: Record, begun: float) -> tuple[Checked, str]:
    """What rechecking comes to, and whether it was done now or is known to have stood."""
    from formal.certificates.checking import Checked, check

    assert task.records is not None
    cache = None if task.cache is None else Cache(task.cache)
    solvers = task.records.solvers
    labels = [solver.label for solver in solvers]
    known = None if cache is None else cache.stood(record.document, program.digest, labels)
    if known is not None:
        return Checked("stands", unchecked=known), "rechecked before"
    checked = check(record, program, solvers, begun + task.timeout, _SOLVERS_AT_A_TIME)
    if cache is not None and checked.state == "stands":
        cache.keep_stood(record.document, program.digest, labels, checked.unchecked)
    return checked, "rechecked"


def _how(checked: Checked, how: str) -> str:
    if not checked.unchecked:
        return how
    return "proved again" if checked.state == "nothing" else f"{how}, {len(checked.unchecked)} proved again"


def _report(record: Record, program: Program, fresh: Sequence[PropertyResult]) -> Report:
    """The report of a record that stands, with what was proved again in the place of what it says of that."""
    recorded = {
        claim.name: PropertyResult(claim.name, claim.kind, None, claim.verdict, claim.depth, claim.engine, claim.reason)
        for claim in record.claims
    }
    recorded.update((result.name, result) for result in fresh)
    results = tuple(recorded[prop.name] for prop in program.properties)
    return Report(program.name, program.title, program.file, program.digest, program.parameters, None, 0.0, program.assumptions, results)


def _changes(record: Record, report: Report) -> Iterator[str]:
    """Where a property that was proved again came out otherwise than recorded."""
    verdicts = {claim.name: claim.verdict for claim in record.claims}
    for result in report.properties:
        if result.verdict is not verdicts[result.name]:
            yield f"{result.name} is recorded as {_told(verdicts[result.name])}, and is {_told(result.verdict)}"
