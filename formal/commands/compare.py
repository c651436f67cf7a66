"""`formal compare`: a patch and what it replaces, both as models: what differs, what each satisfies, and which of the changes matter.

In: parsed arguments. Out: one report; exit code 0 only if BEFORE is violated as it expects, and AFTER proved.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from formal.commands.declaring import check_answer, configure_answer, configure_manner, configure_model, configure_time
from formal.commands.remembering import cache_of, configure_cache, kept, recalled
from formal.console import (
    Exit,
    Parser,
    answer,
    check_folder,
    check_writable,
    coloured,
    columns,
    definitions,
    say,
    say_diagnostics,
)

if TYPE_CHECKING:
    from formal.cache import Cache
    from formal.compare.comparison import Comparison
    from formal.program import Program
    from formal.progress import ProgressLine
    from formal.verdict import Report

_FORMATS = ("text", "json", "html")


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("before", metavar="BEFORE", help="the model without the patch, which says what it violates")
    parser.add_argument("after", metavar="AFTER", help="the model with it")
    configure_model(parser, " of both")
    configure_time(parser, 300, "each proof")
    configure_answer(parser, _FORMATS, "report")
    parser.add_argument("--save", metavar="DIR", help="write there what was compared, and records of both for `formal recheck`")
    configure_cache(parser)
    parser.add_argument("--all", action="store_true", help="every step of a witness, and the witnesses of what was taken back")
    configure_manner(parser, "the verdicts alone; no progress", "no colour, no progress")
    parser.epilog = "example: formal compare models/savevm_unlocked.dsl models/savevm_locked.dsl"


def run(arguments: argparse.Namespace) -> int:
    """Compare; returns the exit code. Raises UsageError."""
    _check(arguments)
    loaded = _load(arguments)
    if loaded is None:
        return Exit.USAGE
    found = _Work(arguments).compare(*loaded)
    if found is None:
        return Exit.INTERRUPTED
    answer(_told(found, arguments), arguments.output)
    if found.certified:
        return Exit.OK
    return Exit.UNDECIDED if found.undecided else Exit.VIOLATED


def _check(arguments: argparse.Namespace) -> None:
    """What argparse does not see. Raises UsageError."""
    check_answer(arguments, (arguments.before, arguments.after), _FORMATS)
    check_writable(arguments.output)
    check_folder(arguments.save)


def _load(arguments: argparse.Namespace) -> tuple[Program, Program] | None:
    """None if one of them is bad, which has then been said."""
    from formal.frontend import load

    programs = []
    for path in (arguments.before, arguments.after):
        loaded = load(path, definitions(arguments.defines), tuple(arguments.extra))
        if loaded.program is None:
            say_diagnostics(loaded.diagnostics)
        else:
            programs.append(loaded.program)
    return (programs[0], programs[1]) if len(programs) == 2 else None


class _Interrupted(Exception):
    """Ctrl-C while something is proved; the pipeline tells it with its answer."""


class _Work:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._cache: Cache | None = cache_of(arguments)
        self._established: list[str] = []  # what is known so far, to be told after Ctrl-C

    def compare(self, before: Program, after: Program) -> Comparison | None:
        """All of it; None if it was interrupted."""
        from formal.compare.comparison import Comparison, Pair
        from formal.progress import ProgressLine

        arguments = self._arguments
        shown = not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color)
        pair = Pair(before, after)
        with ProgressLine(sys.stderr, shown=shown, prepare=lambda: None) as line:
            try:
                one, other = self._prove(before, "BEFORE", line), self._prove(after, "AFTER", line)
                if arguments.save is not None:
                    one, other = self._save(before, one, line), self._save(after, other, line)
                reverted = tuple(pair.reverted(lambda program, numbers: self._prove(program, f"without {_listed(numbers)}", line)))
            except (_Interrupted, KeyboardInterrupt):
                say("\n".join(["interrupted before everything was compared", *self._established]))
                return None
        found = Comparison(one, other, _wrong(before, one, other), pair.told(), pair.asked(), tuple(pair.courses(one)), reverted)
        if arguments.save is not None:
            self._write(found)
        return found

    def _prove(self, program: Program, what: str, line: ProgressLine) -> Report:
        from formal.pipeline import Request, prove, select

        line.note(what)
        arguments = self._arguments
        names = select(program, ())[0]
        deadline = time.monotonic() + arguments.timeout
        request = Request(names, deadline=deadline, defines=definitions(arguments.defines), extra=tuple(arguments.extra))
        found = kept(self._cache, program, request, prove(program, recalled(self._cache, program, request), line))
        self._established.append(f"{what}: {found.report.verdict}" + (", as far as it was looked at" if found.interrupted else ""))
        if found.interrupted:
            raise _Interrupted
        for engine, crash in found.crashes:
            say(f"{program.file}: the {engine} engine broke down:\n{crash.rstrip()}")
        return found.report

    # ------------------------------------------------------------ records

    def _save(self, program: Program, report: Report, line: ProgressLine) -> Report:
        """The report, with its record written."""
        from formal.certificates.making import certify_apart
        from formal.certificates.record import file_name, render
        from formal.verdict import Verdict

        if report.verdict is Verdict.UNDECIDED:
            say(f"{report.file}: no record, not everything is decided")
            return report
        made = certify_apart(program, report, time.monotonic() + self._arguments.timeout, line.note)
        path = str(Path(self._arguments.save) / file_name(report))
        text = render(report, made.invariant, made.proves, made.states, made.uncertified, made.rankings)
        answer(text.removesuffix("\n"), path)
        return replace(
            report, properties=tuple(replace(one, certificate=path) if one.name in made.certified else one for one in report.properties)
        )

    def _write(self, found: Comparison) -> None:
        from formal.certificates.record import COMPARED
        from formal.compare.document import document

        name = f"{found.before.model}--{found.after.model}{COMPARED}"
        answer(document(found), str(Path(self._arguments.save) / name))


def _wrong(before: Program, one: Report, other: Report) -> tuple[str, ...]:
    """What keeps AFTER from being a remedy of BEFORE."""
    from formal.regress import differences
    from formal.verdict import Verdict

    found = [f"BEFORE: {line}" for line in differences(before.expectations, one)]
    if not any(expectation.verdict == "violated" for expectation in before.expectations):
        found.append("BEFORE does not expect any violation: `expect violated NAME;` says what AFTER is to mend")
    for result in other.properties:
        if result.verdict is not Verdict.PROVED:
            why = f" ({result.reason})" if result.verdict is Verdict.UNDECIDED else ""
            found.append(f"AFTER: {result.name} is {result.verdict.replace('_', ' ')}{why}")
    return tuple(found)


def _listed(numbers: tuple[int, ...]) -> str:
    return "change " + ", ".join(map(str, numbers))


def _told(found: Comparison, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from formal.compare.document import document

        return document(found)
    if arguments.format == "html":
        from formal.compare.page import page

        return page(found)

    from formal.compare.telling import text
    from formal.formats import Style

    colour = arguments.output is None and coloured(sys.stdout, plain=arguments.no_color)
    return text(found, Style(max(60, columns(arguments.output)), colour, arguments.quiet, unfold=arguments.all))
