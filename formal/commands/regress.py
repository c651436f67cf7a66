"""`formal regress`: every model below a path held to its own `expect`.

In: parsed arguments. Out: a line for each model as it is done, the counts, an exit code. Each model is proved in a process of its own, so
that one that breaks down takes no other with it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from formal import __version__
from formal.children import Child, Ended, Tell, wait
from formal.console import Exit, Parser, UsageError, answer, check_writable, definitions, positive, seconds
from formal.regress import depth_for, differences, expected, is_protocol

_GRACE = 10.0  # seconds beyond --timeout before a model's process is ended from outside


@dataclass(frozen=True, slots=True)
class Row:
    """How one model fared. `state`: "as recorded", "differs", "bad model" or "internal error"; `problems` are lines of text."""

    file: str
    state: str
    verdict: str
    expected: str
    seconds: float
    problems: tuple[str, ...]


_EXITS = {"as recorded": Exit.OK, "differs": Exit.VIOLATED, "bad model": Exit.USAGE, "internal error": Exit.INTERNAL}
_WORST_FIRST = (Exit.INTERNAL, Exit.USAGE, Exit.VIOLATED, Exit.OK)


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="model files, or folders of them (default: models)")
    parser.add_argument("-D", action="append", default=[], dest="defines", metavar="NAME=VALUE", help="set a parameter (repeatable)")
    parser.add_argument("--engine", default="auto", metavar="NAME", help="as for prove (default: auto)")
    parser.add_argument("--timeout", type=seconds, default=300.0, metavar="SECONDS", help="for each model (default: 300)")
    parser.add_argument("--jobs", type=positive, metavar="N", help="models at the same time (default: half the processors)")
    parser.add_argument("--format", default="text", metavar="NAME", help="text or json (default: text)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the answer there instead of to standard output")
    parser.epilog = "example: formal regress models"


def run(arguments: argparse.Namespace) -> int:
    """Prove them all; returns the worst of their exit codes. Raises UsageError when there is nothing to prove."""
    _check(arguments)
    begun = time.monotonic()
    protocols, parts = find_models(arguments.paths or ["models"])
    if not protocols:
        raise UsageError(f"no model with a `protocol` head below {' '.join(arguments.paths or ['models'])}", "an empty set proves nothing")
    live = arguments.format == "text" and arguments.output is None
    width = max(len(path) for path in protocols)
    rows: list[Row] = []
    for row in _rows(protocols, arguments):
        rows.append(row)
        if live:
            answer(_line(row, width))
    rows.sort(key=lambda row: protocols.index(row.file))
    tail = _tail(rows, len(parts), time.monotonic() - begun)
    if arguments.format == "json":
        document = {"formal": __version__, "skipped": len(parts), "models": [asdict(row) for row in rows]}
        answer(json.dumps(document, indent=1, ensure_ascii=False), arguments.output)
    else:
        answer(tail if live else "\n".join([*(_line(row, width) for row in rows), tail]), arguments.output)
    codes = {_EXITS[row.state] for row in rows}
    return next(code for code in _WORST_FIRST if code in codes)


def _check(arguments: argparse.Namespace) -> None:
    from formal.engines import AUTO, ENGINES

    if arguments.engine not in (AUTO, *ENGINES):
        raise UsageError(f"unknown engine `{arguments.engine}`", f"the engines are {', '.join((AUTO, *ENGINES))}")
    if arguments.format not in ("text", "json"):
        raise UsageError(f"unknown format `{arguments.format}`", "the formats are text, json")
    definitions(arguments.defines)
    check_writable(arguments.output)


def find_models(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The models to prove, and the files that are parts of others; each in order of its path. Raises UsageError."""
    protocols: list[str] = []
    parts: list[str] = []
    for path in dict.fromkeys(found for given in paths for found in _below(given)):
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


def _rows(paths: Sequence[str], arguments: argparse.Namespace) -> Iterator[Row]:
    """The rows in the order in which the models are done; as many at a time as asked for."""
    jobs = arguments.jobs or max(1, (os.cpu_count() or 2) // 2)  # each has several engines at work
    queue = list(paths)
    working: dict[Child, tuple[str, float]] = {}
    told: dict[str, Row] = {}
    crashes: dict[str, str | None] = {}
    try:
        while queue or working:
            while queue and len(working) < jobs:
                path = queue.pop(0)
                working[Child(_work(path, arguments), list(working))] = (path, time.monotonic())
            for child in wait(list(working), 0.2):
                _hear(child, working[child][0], told, crashes)
            for child, (path, since) in list(working.items()):
                taken = time.monotonic() - since
                if not child.ended and taken > arguments.timeout + _GRACE:
                    child.end()
                    crashes[path] = f"ended from outside after {taken:.0f} s"
                if child.ended:
                    del working[child]
                    yield told.get(path) or _lost(path, crashes.get(path), taken)
    finally:
        for child in working:
            child.end()


def _hear(child: Child, path: str, told: dict[str, Row], crashes: dict[str, str | None]) -> None:
    for value in child.receive():
        match value:
            case Row():
                told[path] = value
            case Ended(crash=crash):
                crashes[path] = crash


def _work(path: str, arguments: argparse.Namespace) -> Callable[[Tell], None]:
    def work(tell: Tell) -> None:
        tell(_row(path, arguments))

    return work


def _row(path: str, arguments: argparse.Namespace) -> Row:
    """Load, prove and judge one model; in the child."""
    from formal.frontend import load
    from formal.pipeline import Request, prove, select
    from formal.race import Disagreement

    begun = time.monotonic()
    loaded = load(path, definitions(arguments.defines), ())
    program = loaded.program
    if program is None:
        problems = tuple(diagnostic.render() for diagnostic in loaded.diagnostics if diagnostic.is_error)
        return Row(path, "bad model", "none", "", time.monotonic() - begun, problems)
    wanted = expected(program.expectations)
    names, _ = select(program, ())
    request = Request(names, depth_for(program.expectations), arguments.engine, deadline=begun + arguments.timeout, begun=begun)
    try:
        found = prove(program, request)
    except Disagreement as error:
        return Row(path, "internal error", "none", wanted, time.monotonic() - begun, (str(error),))
    problems = differences(program.expectations, found.report)
    crashes = tuple(f"the {engine} engine broke down:\n{crash.rstrip()}" for engine, crash in found.crashes)
    state = "internal error" if crashes else "differs" if problems else "as recorded"
    return Row(path, state, found.report.verdict.replace("_", " "), wanted, time.monotonic() - begun, problems + crashes)


def _lost(path: str, crash: str | None, taken: float) -> Row:
    """The row of a model whose process ended without a word."""
    return Row(path, "internal error", "none", "", taken, (crash or "its process ended without an answer",))


def _line(row: Row, width: int) -> str:
    told = f"{row.verdict}" if row.state == "as recorded" else f"{row.verdict}, expected {row.expected}" if row.expected else row.verdict
    line = f"{row.file:<{width}}  {row.state:<12} {row.seconds:7.2f} s  {told}"
    return "\n".join([line, *(f"    {part}" for problem in row.problems for part in problem.splitlines())])


def _tail(rows: Sequence[Row], skipped: int, taken: float) -> str:
    counts = ", ".join(f"{count} {state}" for state in _EXITS if (count := sum(row.state == state for row in rows)))
    files = "file" if skipped == 1 else "files"
    tail = f"{len(rows)} {'model' if len(rows) == 1 else 'models'}: {counts}; {skipped} {files} without a `protocol` skipped; {taken:.2f} s"
    wrong = [row.file for row in rows if row.state != "as recorded"]
    return "\n".join([tail, *(["not as recorded: " + ", ".join(wrong)] if wrong else [])])
