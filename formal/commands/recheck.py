"""`formal recheck`: whether stored proofs and witnesses stand, without searching for them again.

In: parsed arguments. Out: what was checked, by whom, and what was not; an exit code. All records are read, and their models loaded, before
the first is checked. A record of a model that has changed since is stale; it is never held against the changed model.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formal import __version__
from formal.commands.declaring import check_format, configure_answer, configure_time
from formal.console import Exit, Parser, UsageError, answer, check_folder, check_writable, positive, say, say_diagnostics

if TYPE_CHECKING:
    from formal.certificates.checking import Checked, Confirmed
    from formal.certificates.record import Record
    from formal.certificates.several import Further
    from formal.certificates.solvers import Answer, Solver
    from formal.program import Program

_EXITS = {
    "stands": Exit.OK,
    "differs": Exit.VIOLATED,
    "stale": Exit.VIOLATED,
    "undecided": Exit.UNDECIDED,
    "nothing": Exit.UNDECIDED,
    "disagreement": Exit.INTERNAL,
}
_WORST_FIRST = (Exit.INTERNAL, Exit.VIOLATED, Exit.UNDECIDED, Exit.OK)


@dataclass(frozen=True, slots=True)
class Job:
    """One record, and the model that it names."""

    path: str
    record: Record
    program: Program


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("records", nargs="+", metavar="RECORD", help="what `formal prove --save DIR` wrote into DIR")
    parser.add_argument(
        "--solver", action="append", default=[], dest="solvers", metavar="NAME", help="ask this one (repeatable; default: all installed)"
    )
    parser.add_argument("--smtlib", metavar="DIR", help="write each question there as an SMT-LIB 2 script, for other solvers")
    parser.add_argument(
        "--explore",
        nargs="?",
        type=positive,
        const=200_000,
        metavar="STATES",
        help="a third opinion: go through all reachable states, where there are at most so many (default: 200000)",
    )
    configure_time(parser, 300, "each record")
    configure_answer(parser)
    parser.epilog = "example: formal prove models/savevm_locked.dsl --save proofs; formal recheck proofs/savevm_locked.json"


def run(arguments: argparse.Namespace) -> int:
    """Check them all; returns the worst of their exit codes. After Ctrl-C, what is known is told. Raises UsageError."""
    check_format(arguments)
    check_writable(arguments.output)
    solvers, missing = choose_solvers(arguments.solvers)
    jobs = load_records(without_comparisons(arguments.records))
    if jobs is None:
        return Exit.USAGE
    folder = _script_folder(arguments.smtlib, jobs)
    told: list[tuple[Job, Checked]] = []
    with suppress(KeyboardInterrupt):
        for job, checked in _checked(jobs, solvers, arguments):
            told.append((job, checked))
            if folder is not None:
                _write_scripts(folder, job, checked)
            if _live(arguments):
                answer(_text(job, checked))
    if told:
        _tell(told, solvers, missing, arguments)
    codes = {_EXITS[checked.state] for _, checked in told}
    if len(told) < len(jobs):
        say(f"interrupted: {len(told)} of {_counted(len(jobs), 'record')} told")
        return Exit.INTERNAL if Exit.INTERNAL in codes else Exit.INTERRUPTED
    return next(code for code in _WORST_FIRST if code in codes)


def _live(arguments: argparse.Namespace) -> bool:
    """Whether each record is told as soon as it is known."""
    return bool(arguments.format == "text" and arguments.output is None)


def _checked(jobs: Sequence[Job], solvers: Sequence[Solver], arguments: argparse.Namespace) -> Iterator[tuple[Job, Checked]]:
    from formal.certificates.several import check_several

    items = [(job.record, job.program) for job in jobs]
    return zip(jobs, check_several(items, solvers, arguments.timeout, os.cpu_count() or 1, _further(arguments)), strict=True)


def _tell(told: Sequence[tuple[Job, Checked]], solvers: Sequence[Solver], missing: Sequence[Solver], arguments: argparse.Namespace) -> None:
    """What was not told as it came."""
    if arguments.format == "json":
        documents = [_document(job, checked, missing) for job, checked in told]
        answer(json.dumps(documents[0] if len(documents) == 1 else documents, indent=1, ensure_ascii=False), arguments.output)
        return
    asked = any(checked.closed is None for _, checked in told)
    tail = told_solvers(solvers, missing) if asked else "solvers: none was asked, steps were taken one by one"
    answer("\n".join([*([] if _live(arguments) else (_text(job, checked) for job, checked in told)), tail]), arguments.output)


def choose_solvers(names: Sequence[str]) -> tuple[tuple[Solver, ...], tuple[Solver, ...]]:
    """Those to ask, and those that would be asked if they were installed. Raises UsageError for one that is named and isn't there."""
    from formal.certificates.solvers import SOLVERS

    for name in names:
        if name not in SOLVERS:
            raise UsageError(f"unknown solver `{name}`", f"the solvers are {', '.join(SOLVERS)}")
        if SOLVERS[name].version is None:
            raise UsageError(f"{name} is not installed", f"`pip install {SOLVERS[name].package}` installs it")
    wanted = [SOLVERS[name] for name in dict.fromkeys(names or SOLVERS)]
    return tuple(one for one in wanted if one.version is not None), tuple(one for one in wanted if one.version is None)


def told_solvers(solvers: Sequence[Solver], missing: Sequence[Solver]) -> str:
    """Who was asked and who was not, in one line."""
    lacking = "".join(f"; {one.name} is not installed (`pip install {one.package}`)" for one in missing)
    return f"solvers: {', '.join(one.label for one in solvers)}{lacking}"


def read_record(path: Path) -> Record:
    """The record in a file. Raises OSError, BadRecord."""
    from formal.certificates.record import read
    from formal.recorded import BadRecord

    try:
        return read(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BadRecord(f"it is not a text in UTF-8 ({error})") from error


def _further(arguments: argparse.Namespace) -> Further:
    """Who else is asked about each record."""
    from formal.certificates.several import no_further

    if arguments.explore is None:
        return no_further
    from formal.certificates.confirming import with_states

    return partial(with_states, most=arguments.explore)


def without_comparisons(paths: Sequence[str]) -> list[str]:
    """The paths without those of stored comparisons, which is said. Raises UsageError if nothing is left."""
    from formal.certificates.record import COMPARED

    named = list(dict.fromkeys(paths))
    records = [path for path in named if not path.endswith(COMPARED)]
    if not records:
        raise UsageError("there are only comparisons here", "`formal regress` holds those to their models")
    if left := len(named) - len(records):
        say(f"note: {_counted(left, 'comparison')} left out; `formal regress` holds those to their models")
    return records


def load_records(paths: Iterable[str]) -> list[Job] | None:
    """The records with their models; None when a model is bad, which has then been said. Raises UsageError."""
    from formal.certificates.loading import load_for
    from formal.recorded import BadRecord

    records = []
    for path in paths:
        try:
            records.append((path, read_record(Path(path))))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
        except BadRecord as error:
            raise UsageError(f"{path} is not a proof record: {error}", "`formal prove MODEL --save DIR` writes one") from error
    jobs = []
    for path, record in records:
        loaded = load_for(record)
        if loaded.program is None:
            say_diagnostics(loaded.diagnostics)
        else:
            jobs.append(Job(path, record, loaded.program))
    return jobs if len(jobs) == len(records) else None


def _script_folder(given: str | None, jobs: Sequence[Job]) -> Path | None:
    """The folder for scripts, made if need be. Raises UsageError."""
    if given is None:
        return None
    names = [Path(job.path).stem for job in jobs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--smtlib {given}: two of the records are called {twice}")
    check_folder(given)
    return Path(given)


def _write_scripts(folder: Path, job: Job, checked: Checked) -> None:
    """NAME.initiation.smt2, NAME.liveness.PROPERTY.owed.smt2 and so on, as far as the record has something to ask."""
    for which, text in checked.scripts.items():
        path = folder / f"{Path(job.path).stem}.{which.replace(': ', '.')}.smt2"
        note = f"; {job.record.model} ({job.record.digest}): {which} holds if this is unsatisfiable\n"
        try:
            path.write_text(note + text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--smtlib {path}: {error.strerror}") from error


# ---------------------------------------------------------------- telling


def _text(job: Job, checked: Checked) -> str:
    return "\n".join([f"{job.path}: {checked.state}", *(f"  {line}" for line in _lines(job.path, job.record, checked))])


def _lines(path: str, record: Record, checked: Checked) -> Iterator[str]:
    yield from checked.problems
    if checked.state == "stale":
        yield f"`{record.command(str(Path(path).parent))}` records it anew"
    if checked.answers:
        clauses, proved = len(record.invariant or ()), len(record.proves)
        yield f"invariant of {_counted(clauses, 'clause')}, for {_counted(proved, 'property')}"
        yield from _answered(checked, [which for which in checked.scripts if ": " not in which])
        for name, ranking in record.rankings.items():
            yield f"ranking of {name}, {_counted(len(ranking), 'rule')}"
            yield from _answered(checked, [which for which in checked.scripts if which.startswith(f"{name}: ")])
    if checked.closed is not None and record.family is not None and not checked.problems:
        kind = f"{_counted(checked.closed, 'state')} of any number of members, for {_counted(len(record.family.proves), 'property')}"
        sizes = " and ".join(f"every {name} >= {least}" for name, least in record.family.parameters.items())
        yield f"{kind}: every step from one leads to one, for {sizes}"
    for name, steps in checked.followed.items():
        yield f"witness of {name}: followed for {_counted(steps, 'step')}, to the violation"
    if checked.confirmed is not None:
        yield _confirmed(checked.confirmed)
    for name, why in checked.unchecked.items():
        yield f"not rechecked: {name} ({why})"


def _answered(checked: Checked, scripts: Sequence[str]) -> Iterator[str]:
    """What was said to each of some obligations."""
    for which in scripts:
        told = (_told(one) for one in checked.answers if one.script == which)
        yield f"  {which.rpartition(': ')[2]:<11}  {', '.join(told)}"


def _confirmed(confirmed: Confirmed) -> str:
    if confirmed.states is None:
        return f"its states were not gone through: {confirmed.reason}"
    agree = "contradict it" if confirmed.problems else "have the invariant, and violate nothing that it proves"
    if confirmed.reason:
        agree = f"with {confirmed.reason} {'contradict it' if confirmed.problems else 'violate nothing that it proves'}"
    return f"all {confirmed.states:,} reachable states {agree}"


def _told(one: Answer) -> str:
    return f"{one.solver}: {one.said} ({one.reason or f'{one.seconds:.2f} s'})"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word.removesuffix('y') + 'ie' if word.endswith('y') else word}s"


def _document(job: Job, checked: Checked, missing: Sequence[Solver]) -> Mapping[str, Any]:
    return {
        "formal": __version__,
        "record": job.path,
        "file": job.record.file,
        "state": checked.state,
        "stands": checked.state == "stands",
        "problems": list(checked.problems),
        "obligations": [asdict(one) for one in checked.answers],
        "states_of_any_size": checked.closed,
        "witnesses": dict(checked.followed),
        "not_rechecked": dict(checked.unchecked),
        "explored": None if checked.confirmed is None else {"states": checked.confirmed.states, "reason": checked.confirmed.reason},
        "not_installed": [one.name for one in missing],
    }
