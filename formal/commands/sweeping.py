"""A sweep of `formal prove`: the same question at many values of parameters.

In: parsed arguments, in which -D gives some names several values. Out: a table of verdicts and what they cost, a chart, the worst of the
exit codes. Files are read and parsed once; each point is settled in a process of its own, here or on a cluster. Ctrl-C ends it, and what
was done until then is shown.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final

from formal.cache import Cache
from formal.commands.executing import hired
from formal.commands.remembering import cache_of, kept, recalled
from formal.console import Exit, UsageError, answer, check_writable, coloured, columns, definitions, say, say_diagnostics
from formal.diagnostics import Diagnostic
from formal.executor.calls import Within
from formal.executor.crew import Crew, Ending, gather
from formal.formats import Style
from formal.formats.board import Board
from formal.pipeline import Answer, Request, prove, select
from formal.program import Program
from formal.sweep import Axis, Point, SweepError, combinations, counts, read_axes, unbounded
from formal.verdict import Verdict

_GRACE: Final = 10.0  # seconds beyond --timeout before a point's process is ended from outside
_EXITS: Final[Mapping[str, Exit]] = {
    "lost": Exit.INTERNAL,
    "interrupted": Exit.INTERRUPTED,
    "refused": Exit.USAGE,
    "violated": Exit.VIOLATED,
    "undecided": Exit.UNDECIDED,
    "proved_up_to": Exit.OK,
    "proved": Exit.OK,
}  # the worst first


@dataclass(frozen=True, slots=True)
class Work:
    """One point to settle, wherever: nothing in it is a file. `request` has no deadline; `timeout`: seconds from when it begins."""

    program: Program
    request: Request
    timeout: float | None


@dataclass(slots=True)
class _Asked:
    """One point: its place in the sweep, and what is asked, unless the model refuses it."""

    file: str
    values: tuple[str, ...]
    work: Work | None
    point: Point | None = None


def settle(work: Work) -> Answer:
    """What `prove` answers."""
    begun = time.monotonic()
    deadline = None if work.timeout is None else begun + work.timeout
    return prove(work.program, replace(work.request, begun=begun, deadline=deadline))


def check_sweep(arguments: argparse.Namespace) -> None:
    """What a sweep does not go with. Raises UsageError."""
    from formal.formats.sweep import FORMATS

    if arguments.format not in FORMATS:
        raise UsageError(f"a sweep has no format `{arguments.format}`", f"its formats are {', '.join(FORMATS)}")
    if arguments.save is not None:
        raise UsageError("--save goes without a sweep", "a record is of one point: give each parameter one value")
    if unbounded(definitions(arguments.defines)):
        raise UsageError("a sweep goes without -D NAME=LO..*", "give the other parameters one value each")
    check_writable(arguments.chart)
    _axes(arguments)


def sweep(arguments: argparse.Namespace) -> int:
    """Do it; returns the worst of the points' exit codes. Raises UsageError."""
    from formal.formats.sweep import FORMATS

    begun = time.monotonic()
    fixed, axes = _axes(arguments)
    asked = _ask(arguments, fixed, axes)
    if all(one.work is None for one in asked):
        return Exit.USAGE
    _settle_all(asked, axes, arguments)
    points = [one.point or Point(one.file, one.values, "interrupted") for one in asked]
    style = Style(
        columns(arguments.output),
        arguments.output is None and coloured(sys.stdout, plain=arguments.no_color),
        arguments.quiet,
        arguments.stats,
    )
    answer(FORMATS[arguments.format](axes, points, time.monotonic() - begun, style), arguments.output)
    if arguments.chart is not None:
        from formal.formats.chart import chart

        title = f"{', '.join(dict.fromkeys(point.file for point in points))}: {', '.join(f'{axis.name} = {axis.word}' for axis in axes)}"
        answer(chart(title, axes, points), arguments.chart)
    codes = {_EXITS[point.state] for point in points}
    if Exit.INTERRUPTED in codes:
        say(f"interrupted: {counts(points)}")
    return next(code for code in _EXITS.values() if code in codes)


def _axes(arguments: argparse.Namespace) -> tuple[dict[str, str], tuple[Axis, ...]]:
    try:
        return read_axes(definitions(arguments.defines))
    except SweepError as error:
        raise UsageError(error.message, error.hint) from error


# ---------------------------------------------------------------- what is asked


def _ask(arguments: argparse.Namespace, fixed: Mapping[str, str], axes: Sequence[Axis]) -> list[_Asked]:
    """Every point of every model, in order. What is to be said about the models is said, each thing once. Raises UsageError."""
    from formal.frontend import load

    asked = []
    told: dict[str, Diagnostic] = {}
    for file in dict.fromkeys(arguments.models):
        for values in combinations(axes):
            defines = {**fixed, **{axis.name: value for axis, value in zip(axes, values, strict=True)}}
            loaded = load(file, defines, arguments.extra)
            shown = [one for one in loaded.diagnostics if one.is_error or not arguments.quiet]
            told.update((one.render(), one) for one in shown)
            work = None if loaded.program is None else _work(loaded.program, defines, arguments)
            refused = (
                None if work is not None else Point(file, values, "refused", problems=tuple(one.message for one in shown if one.is_error))
            )
            asked.append(_Asked(file, values, work, refused))
    say_diagnostics(told.values())
    return asked


def _work(program: Program, defines: Mapping[str, str], arguments: argparse.Namespace) -> Work:
    names, useless = select(program, tuple(arguments.patterns))
    if useless:
        raise UsageError(f"--property {useless[0]} matches no property of {program.file}", "`formal prove` without it names them all")
    request = Request(
        names,
        arguments.depth,
        arguments.engine,
        arguments.jobs,
        defines=defines,
        extra=tuple(arguments.extra),
        statistics=True,
        without=frozenset(arguments.without),
    )
    return Work(program, request, arguments.timeout)


# ---------------------------------------------------------------- what is answered


def _settle_all(asked: Sequence[_Asked], axes: Sequence[Axis], arguments: argparse.Namespace) -> None:
    """Fill in the points, as far as Ctrl-C lets it. Raises UsageError."""
    cache = cache_of(arguments)
    open_ = [one for one in asked if one.work is not None]
    jobs = arguments.parallel or max(1, (os.cpu_count() or 2) // 2)  # a proof has several engines at work
    board = Board(sys.stderr, shown=not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color))
    try:
        with board, hired(arguments.executor, jobs) as crew:
            for ending in _endings(crew, open_, axes, cache, board):
                one = open_[ending.number]
                one.point = _point(one, ending, cache)
                if one.point.state == "lost":
                    board.clear()
                    say(f"{_name(one, axes)}: {' '.join(one.point.problems)}")
    except KeyboardInterrupt:
        pass  # those without a point are told to be interrupted


def _endings(crew: Crew, open_: Sequence[_Asked], axes: Sequence[Axis], cache: Cache | None, board: Board) -> Iterator[Ending]:
    begun = time.monotonic()
    since: dict[int, float] = {}

    def watch(working: Sequence[int], done: int) -> None:
        now = time.monotonic()
        board.show([(_name(open_[one], axes), now - since.setdefault(one, now)) for one in working], done, len(open_), now - begun)

    def tell(number: int | None, text: str) -> None:
        board.clear()
        say(f"note: {text}" if number is None else f"note: {_name(open_[number], axes)}: {text}; tried again")

    return gather(crew, [_submitted(crew, one, cache) for one in open_], tell, watch)


def _name(one: _Asked, axes: Sequence[Axis]) -> str:
    return " ".join([one.file, *(f"{axis.name}={value}" for axis, value in zip(axes, one.values, strict=True))])


def _submitted(crew: Crew, one: _Asked, cache: Cache | None) -> Future[Any]:
    assert one.work is not None
    work = replace(one.work, request=recalled(cache, one.work.program, one.work.request))
    return crew.executor.submit(settle if work.timeout is None else Within(work.timeout + _GRACE, settle), work)


def _point(one: _Asked, ending: Ending, cache: Cache | None) -> Point:
    assert one.work is not None
    if ending.error is not None:
        return Point(one.file, one.values, "lost", problems=("\n".join([str(ending.error), *getattr(ending.error, "__notes__", ())]),))
    found: Answer = kept(cache, one.work.program, one.work.request, ending.value)
    if found.interrupted:
        return Point(one.file, one.values, "interrupted")
    crashed = [f"the {engine} engine broke down:\n{crash.rstrip()}" for engine, crash in found.crashes]
    lost = crashed and found.report.verdict is Verdict.UNDECIDED and any(crash.startswith("Traceback") for _, crash in found.crashes)
    for text in () if lost else crashed:  # what is lost is told as that
        say(f"{one.file}: {text}")
    return Point(one.file, one.values, "lost" if lost else found.report.verdict.value, found.report, tuple(crashed))
