"""`formal regress`: every model below a path held to its own `expect`, and every record of a proof to its model.

In: parsed arguments. Out: a line for each model as it is done, the counts, an exit code. Each model is judged in a process of its own, so
that one that breaks down takes no other with it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formal import __version__
from formal.commands.declaring import check_format, configure_answer, configure_defines, configure_time
from formal.commands.executing import check_executor, configure_executor, hired
from formal.commands.judging import Records, Row, Task, carried, judge
from formal.commands.recheck import choose_solvers, read_record, told_solvers
from formal.commands.remembering import cache_of, configure_cache
from formal.console import (
    Exit,
    Parser,
    UsageError,
    add_to_summary,
    answer,
    check_writable,
    coloured,
    definitions,
    job_summary,
    legible,
    positive,
    say,
)
from formal.executor.calls import Within
from formal.executor.crew import Ending, gather
from formal.formats import judged
from formal.formats.board import Board
from formal.formats.judged import INTERRUPTED
from formal.regress import is_protocol

if TYPE_CHECKING:
    from formal.certificates.record import Record
    from formal.certificates.solvers import Solver

_GRACE = 10.0  # seconds beyond --timeout before a model's process is ended from outside


EXITS = {
    "as recorded": Exit.OK,
    "differs": Exit.VIOLATED,
    "missing": Exit.VIOLATED,
    "stale": Exit.VIOLATED,
    "no model": Exit.VIOLATED,
    "bad record": Exit.USAGE,
    "bad model": Exit.USAGE,
    "internal error": Exit.INTERNAL,
    INTERRUPTED: Exit.INTERRUPTED,
}
_WORST_FIRST = (Exit.INTERNAL, Exit.INTERRUPTED, Exit.USAGE, Exit.VIOLATED, Exit.OK)
_FORMATS = ("text", "json", "junit", "sarif", "github")
_MODELS, _PROOFS = "models", "proofs"  # where they are looked for if nothing else is said


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="model files, or folders of them (default: models)")
    parser.add_argument(
        "--proofs",
        metavar="DIR",
        help=f"recheck the records there, and have one of every model (default: {_PROOFS}; with PATH, those that are there of its models)",
    )
    configure_defines(parser)
    parser.add_argument("--engine", default="auto", metavar="NAME", help="as for prove (default: auto)")
    configure_time(parser, 300, "each model")
    parser.add_argument(
        "--jobs",
        type=positive,
        metavar="N",
        help="models at the same time (default: as many as there are processors, half of that without records)",
    )
    configure_executor(parser)
    configure_cache(parser)
    configure_answer(parser, _FORMATS)
    parser.add_argument("--no-color", action="store_true", help="no progress on a terminal (so do NO_COLOR and a pipe)")
    parser.epilog = "example: formal regress models"


def run(arguments: argparse.Namespace) -> int:
    """Judge them all; returns the worst of their exit codes. Ctrl-C: what is known is told. Raises UsageError if nothing is to prove."""
    _check(arguments)
    begun = time.monotonic()
    paths = arguments.paths or [_MODELS]
    protocols, parts = find_models(paths)
    if not protocols:
        raise UsageError(f"no model with a `protocol` head below {' '.join(paths)}", "an empty set proves nothing")
    folder = _proofs(arguments)
    whole = arguments.proofs is not None or not arguments.paths
    records, stray, missing = (None, [], ()) if folder is None else _stored(folder, protocols, paths, whole=whole)
    rows = _judged(protocols, arguments, records, stray)
    summary = judged.counts(rows, list(EXITS), len(parts), time.monotonic() - begun)
    if arguments.format == "json":
        document = {"formal": __version__, "skipped": len(parts), "models": [asdict(row) for row in rows], **_facts(records, missing)}
        answer(json.dumps(document, indent=1, ensure_ascii=False), arguments.output)
    elif arguments.format == "text":
        recorded = any(row.record is not None for row in rows)
        asked = None if records is None or not recorded else told_solvers(records.solvers, missing)
        tail = [one for one in (summary, judged.slowest(rows), judged.wrong(rows), asked) if one is not None]
        width = _width(protocols, records, stray)
        answer("\n".join([*([] if _live(arguments) else (judged.line(row, width) for row in rows)), *tail]), arguments.output)
    else:
        from formal.formats.regression import FORMATS

        answer(FORMATS[arguments.format](rows, summary), arguments.output)
    _summarize(rows, summary)
    codes = {EXITS[row.state] for row in rows}
    return next(code for code in _WORST_FIRST if code in codes)


def _live(arguments: argparse.Namespace) -> bool:
    """Whether each line is printed as soon as it is known."""
    return bool(arguments.format == "text" and arguments.output is None)


def _judged(protocols: Sequence[str], arguments: argparse.Namespace, records: Records | None, stray: Sequence[Row]) -> list[Row]:
    """All the rows, in order; after Ctrl-C, those that are known, and one for each model that was not looked at."""
    width = _width(protocols, records, stray)
    rows: list[Row] = []
    with Board(sys.stderr, shown=coloured(sys.stderr, plain=arguments.no_color)) as board:
        try:
            for row in chain(_rows(protocols, arguments, records, board), stray):
                rows.append(row)
                if _live(arguments):
                    board.clear()
                    answer(judged.line(row, width))
        except KeyboardInterrupt:
            known = {row.file for row in rows}
            rows += [Row(path, INTERRUPTED, "none", "", 0.0, ("interrupted",)) for path in protocols if path not in known]
    return sorted(rows, key=lambda row: _position(row, protocols, records))


def _width(protocols: Sequence[str], records: Records | None, stray: Sequence[Row]) -> int:
    """The longest name of a row."""
    alone = [] if records is None else [path for stored in records.of.values() for path, record in stored if record.defines or record.extra]
    return max(map(len, (*protocols, *alone, *(row.file for row in stray))))


def _summarize(rows: Sequence[Row], summary: str) -> None:
    path = job_summary()
    if path is not None:
        from formal.formats.markdown import regressed

        add_to_summary(path, regressed(rows, summary))


def _proofs(arguments: argparse.Namespace) -> str | None:
    """The folder of records, if there is one. Raises UsageError."""
    given: str | None = arguments.proofs
    if given is None:
        return _PROOFS if not arguments.defines and Path(_PROOFS).is_dir() else None
    if arguments.defines:
        raise UsageError("--proofs goes without -D", "a record says itself which parameters it is about")
    if not Path(given).is_dir():
        raise UsageError(f"--proofs {given}: no such folder", f"`formal prove MODEL --save {given}` makes it")
    return given


def _stored(folder: str, protocols: Sequence[str], paths: Sequence[str], *, whole: bool) -> tuple[Records, list[Row], tuple[Solver, ...]]:
    """The records of these models; rows for those that are of no model, or cannot be read; solvers that are not installed. `whole`: the
    folder is to be of these models and no other."""
    from formal.certificates.record import COMPARED
    from formal.recorded import BadRecord

    by_file = {Path(path).resolve(): path for path in protocols}
    found: dict[str, list[tuple[str, Record]]] = {}
    stray = []
    for path in sorted(Path(folder).glob("*.json")):
        if path.name.endswith(COMPARED):
            stray += [_compared(path)] if whole else []
            continue
        try:
            record = read_record(path)
        except (OSError, BadRecord) as error:
            stray.append(Row(str(path), "bad record", "none", "", 0.0, (str(error),), "", str(path)))
            continue
        model = by_file.get(Path(record.file).resolve())
        if model is not None:
            found.setdefault(model, []).append((str(path), record))
        elif whole:
            why = f"below {' '.join(paths)}" if Path(record.file).exists() else "there any more"
            stray.append(Row(str(path), "no model", "none", "", 0.0, (f"its model {record.file} is not {why}",), "", str(path)))
    solvers, missing = choose_solvers(())
    return Records(folder, found, solvers, whole), stray, missing


def _compared(path: Path) -> Row:
    """A stored comparison, held to the models as they are."""
    from formal.compare.holding import held
    from formal.recorded import BadRecord

    begun = time.monotonic()
    try:
        found = held(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, BadRecord) as error:
        return Row(str(path), "bad record", "none", "", 0.0, (str(error),), "", str(path))
    state = "stale" if found.stale else "differs" if found.differences else "as recorded"
    problems = (found.stale,) if found.stale else found.differences
    verdict = "certified" if state == "as recorded" else "none"
    return Row(str(path), state, verdict, "certified", time.monotonic() - begun, problems, "rechecked", str(path))


def _position(row: Row, protocols: Sequence[str], records: Records | None) -> tuple[int, str]:
    """Models in order, each with its records; then the rest."""
    if row.file in protocols:
        return protocols.index(row.file), ""
    of = {} if records is None else records.of
    owner = next((model for model, stored in of.items() if any(path == row.file for path, _ in stored)), None)
    return len(protocols) if owner is None else protocols.index(owner), row.file


def _facts(records: Records | None, missing: Sequence[Solver]) -> dict[str, Any]:
    """What a document says of the records as a whole."""
    solvers = [one.label for one in records.solvers] if records is not None else []
    return {"proofs": None if records is None else records.folder, "solvers": solvers, "not_installed": [one.name for one in missing]}


def _check(arguments: argparse.Namespace) -> None:
    from formal.engines import AUTO, ENGINES

    if arguments.engine not in (AUTO, *ENGINES):
        raise UsageError(f"unknown engine `{arguments.engine}`", f"the engines are {', '.join((AUTO, *ENGINES))}")
    check_format(arguments, _FORMATS)
    check_executor(arguments.executor)
    definitions(arguments.defines)
    check_writable(arguments.output)


def find_models(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The models to prove, and the files that are parts of others; each in order of its path. Raises UsageError."""
    protocols: list[str] = []
    parts: list[str] = []
    below = dict.fromkeys(found for given in paths for found in _below(given))
    legible(below)
    for path in below:
        text = Path(path).read_bytes().decode("utf-8", "replace")  # what is wrong with it is for the loader to say
        (protocols if is_protocol(text) else parts).append(path)
    return protocols, parts


def _below(given: str) -> list[str]:
    path = Path(given)
    if path.is_dir():
        return sorted(str(found) for found in path.rglob("*.dsl") if found.is_file())
    if path.is_file():
        return [given]
    raise UsageError(f"{given}: no such file or folder")


def _rows(paths: Sequence[str], arguments: argparse.Namespace, records: Records | None, board: Board) -> Iterator[Row]:
    """The rows in the order in which the models are done; as many at a time as asked for."""
    processors = os.cpu_count() or 2
    jobs = arguments.jobs or (max(1, processors // 2) if records is None else processors)  # a proof has several engines at work
    begun = time.monotonic()
    since: dict[int, float] = {}

    def watch(working: Sequence[int], done: int) -> None:
        now = time.monotonic()
        board.show([(paths[one], now - since.setdefault(one, now)) for one in working], done, len(paths), now - begun)

    def tell(number: int | None, text: str) -> None:
        board.clear()
        say(f"note: {text}" if number is None else f"note: {paths[number]}: {text}; tried again")

    tasks = _tasks(paths, arguments, records)
    with hired(arguments.executor, jobs) as crew:
        futures = [
            crew.executor.submit(Within(_patience(task, arguments), judge), carried(task) if crew.elsewhere else task) for task in tasks
        ]
        for ending in gather(crew, futures, tell, watch):
            if ending.error is None:
                yield from ending.value
            else:
                now = time.monotonic()
                yield _lost(paths[ending.number], ending, now - since.get(ending.number, now))


def _tasks(paths: Sequence[str], arguments: argparse.Namespace, records: Records | None) -> Iterator[Task]:
    cache = cache_of(arguments)
    defines = definitions(arguments.defines)
    for path in paths:
        own = None if records is None else replace(records, of={path: records.of.get(path, ())})
        yield Task(path, defines, arguments.engine, arguments.timeout, own, None if cache is None else cache.folder)


def _patience(task: Task, arguments: argparse.Namespace) -> float:
    """Seconds after which a model's process is ended from outside: it has so many for the model, and for each of its records."""
    stored = 1 if task.records is None else max(1, len(task.records.of.get(task.path, ())))
    return float(arguments.timeout * stored + _GRACE)


def _lost(path: str, ending: Ending, taken: float) -> Row:
    """The row of a model that has no answer: its process ended, or broke down."""
    said = "\n".join([str(ending.error), *getattr(ending.error, "__notes__", ())])
    return Row(path, "internal error", "none", "", taken, (said or "its process ended without an answer",))
