"""`formal repair`: the smallest changes to where a lock is taken and given back under which every property of the models is proved.

In: parsed arguments. Out: repairs, each as a diff and with what proves it; exit code 0 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formal.commands.declaring import check_answer, configure_answer, configure_jobs, configure_manner, configure_model, configure_time
from formal.commands.executing import check_executor, configure_executor, hired
from formal.console import (
    Exit,
    Parser,
    UsageError,
    answer,
    check_folder,
    check_writable,
    coloured,
    columns,
    definitions,
    positive,
    say,
    say_diagnostics,
)
from formal.diagnostics import InternalError
from formal.executor.calls import PROCESSES
from formal.status_line import StatusLine

if TYPE_CHECKING:
    from formal.executor.crew import Crew
    from formal.program import Program
    from formal.repair.questions import Question
    from formal.repair.search import Found, Repair
    from formal.repair.telling import Aside, Telling
    from formal.verdict import Report

_FURTHEST: Final = 6  # the cost up to which a first repair is looked for, if nothing else is said


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a model; of several, one repair is to be right for all")
    parser.add_argument("--lock", required=True, metavar="LOCK", help="the mutex")
    parser.add_argument("--in", nargs="+", action="extend", default=[], dest="within", metavar="BODY", help="change only these bodies")
    parser.add_argument("--cost", type=positive, metavar="N", help="all repairs up to this cost, not only the cheapest")
    parser.add_argument("--beside", action="append", default=[], metavar="MODEL", help="say what becomes of this one, too (repeatable)")
    configure_model(parser)
    configure_time(parser, 600, "the whole command")
    configure_jobs(parser, "proofs")
    configure_executor(parser)
    configure_answer(parser, schema="repair")
    parser.add_argument("--save", metavar="DIR", help="write there each repair: the models with it, a diff, records for `formal recheck`")
    configure_manner(parser, "no diffs; no progress")
    parser.epilog = "example: formal repair models/savevm_unlocked.dsl --lock BQL"


def run(arguments: argparse.Namespace) -> int:
    """Search; returns the exit code. Raises UsageError."""
    _check(arguments)
    programs, beside = _load(arguments, arguments.models), _load(arguments, arguments.beside)
    if programs is None or beside is None:
        return Exit.USAGE
    _check_bodies(arguments, programs)
    told = _Work(arguments).told(programs, beside)
    answer(_rendered(told, arguments), arguments.output)
    return _exit(told.found)


def _exit(found: Found) -> int:
    if found.interrupted:
        return Exit.INTERRUPTED
    if found.repairs:
        return Exit.OK
    return Exit.UNDECIDED if found.stopped or found.open or found.cost is not None else Exit.VIOLATED


def _check(arguments: argparse.Namespace) -> None:
    """What argparse does not see. Raises UsageError."""
    check_answer(arguments, (*arguments.models, *arguments.beside))
    if arguments.executor != PROCESSES:
        check_executor(arguments.executor)
        raise UsageError(f"--executor {arguments.executor}: an edited model is no file that others could read", "repair works here")
    check_writable(arguments.output)
    check_folder(arguments.save)


def _load(arguments: argparse.Namespace, paths: Sequence[str]) -> tuple[Program, ...] | None:
    """None if one of them is bad, which has then been said."""
    from formal.frontend import load

    programs = []
    for path in dict.fromkeys(paths):
        loaded = load(path, definitions(arguments.defines), tuple(arguments.extra))
        if loaded.program is None:
            say_diagnostics(loaded.diagnostics)
        programs.append(loaded.program)
    good = tuple(program for program in programs if program is not None)
    return good if len(good) == len(programs) else None


def _check_bodies(arguments: argparse.Namespace, programs: Sequence[Program]) -> None:
    from difflib import get_close_matches

    from formal.rewriting.bodies import reached

    known = list(dict.fromkeys(name for program in programs for name in reached(program)))
    for name in arguments.within:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise UsageError(f"--in {name}: no thread comes to a body of that name", f"did you mean `{near[0]}`?" if near else None)


class _Work:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._begun = time.monotonic()
        self._deadline = self._begun + arguments.timeout
        self._line = StatusLine(sys.stderr, shown=not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color))

    def told(self, programs: Sequence[Program], beside: Sequence[Program]) -> Telling:
        """All of it. Raises UsageError."""
        import os

        from formal.repair.telling import Telling

        jobs = self._arguments.jobs or os.cpu_count() or 1
        with hired(self._arguments.executor, jobs) as crew, self._clearing():
            found = self._search(programs, crew, jobs)
            told = Telling(self._arguments.lock, found, ())
            return replace(told, asides=tuple(self._asides(told, programs, beside, crew)))

    def _search(self, programs: Sequence[Program], crew: Crew, jobs: int) -> Found:
        from formal.commands.confirming import asked
        from formal.repair.operations import NoSuchLock
        from formal.repair.search import Model, NothingToRepair, Plan, search

        arguments = self._arguments
        models = [Model(program, self._question(program)) for program in programs]
        inside = frozenset(arguments.within) if arguments.within else None
        most = arguments.cost or _FURTHEST
        try:
            plan = Plan(arguments.lock, inside, arguments.cost, most, self._deadline, jobs, asked, self._tell)
            return search(models, plan, crew)
        except NoSuchLock as error:
            raise UsageError(error.message, error.hint) from error
        except NothingToRepair:
            raise UsageError("there is nothing to repair: every property is proved", "`formal prove` shows it") from None

    def _question(self, program: Program) -> Question:
        from formal.repair.questions import Question

        return Question(program.file, definitions(self._arguments.defines), tuple(self._arguments.extra), self._arguments.timeout)

    # ------------------------------------------------------------ besides

    def _asides(self, told: Telling, programs: Sequence[Program], beside: Sequence[Program], crew: Crew) -> Iterator[Aside]:
        from formal.repair.notes import notes
        from formal.repair.telling import Aside

        said = notes(told, programs)
        for number, repair in enumerate(told.found.repairs):
            reports = () if told.found.interrupted else tuple(self._beside(repair, beside, crew))
            saved = None if self._arguments.save is None else self._save(told, number, repair, programs)
            yield Aside(said[number], reports, saved)

    def _beside(self, repair: Repair, beside: Sequence[Program], crew: Crew) -> Iterator[Report]:
        """What becomes of the models that need not be right."""
        from formal.commands.confirming import asked
        from formal.verdict import Report

        questions = [replace(self._question(program), texts=repair.texts) for program in beside]
        for question, future in [(one, crew.executor.submit(asked, one)) for one in questions]:
            self._tell(f"{question.file} with a repair")
            found = future.result()
            if isinstance(found, Report):
                yield found

    def _save(self, told: Telling, number: int, repair: Repair, programs: Sequence[Program]) -> str:
        """A folder with the models as repaired, the diff, and a record of each model's proof."""
        from formal.repair.saving import tree, write
        from formal.repair.texts import unified

        folder = str(Path(self._arguments.save) / f"repair-{number + 1}")
        paths = write(tree(programs, repair.texts), folder, lambda text, path: answer(text, path), check_folder)
        answer("\n".join(unified(told.found.sources, repair.texts)), str(Path(folder) / "repair.diff"))
        for path in paths:
            self._tell(f"a record of {path}")
            self._record(path, folder)
        return folder

    def _record(self, path: str, folder: str) -> None:
        """Proved once more as what was written. Raises InternalError if it is not."""
        from formal.certificates.making import certify_apart
        from formal.certificates.record import file_name, render
        from formal.frontend import load
        from formal.pipeline import Request, prove
        from formal.verdict import Verdict

        defines, extra = definitions(self._arguments.defines), tuple(self._arguments.extra)
        program = load(path, defines, extra).program
        if program is None:
            raise InternalError(f"{path} was written, and is no model")
        names = tuple(prop.name for prop in program.properties)
        report = prove(program, Request(names, deadline=self._deadline, defines=defines, extra=extra)).report
        if report.verdict is Verdict.VIOLATED:
            raise InternalError(f"{path} was proved, and is not when it is read again")
        if report.verdict is Verdict.UNDECIDED:
            say(f"{path}: no record, not everything is decided")
            return
        made = certify_apart(program, report, self._deadline)
        text = render(report, made.invariant, made.proves, made.states, made.uncertified, made.rankings)
        answer(text.removesuffix("\n"), str(Path(folder) / file_name(report)))

    # ------------------------------------------------------------ progress

    def _tell(self, text: str) -> None:
        self._line.show(text, time.monotonic() - self._begun)

    @contextmanager
    def _clearing(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._line.clear()


def _rendered(told: Telling, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from formal.repair.document import document

        return document(told)
    from formal.repair.telling import text

    return text(told, max(60, columns(arguments.output)), quiet=arguments.quiet)
