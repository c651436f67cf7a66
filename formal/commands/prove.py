"""`formal prove`: every property of each model, and a report.

In: parsed arguments. Out: the report on standard output or in a file, an exit code. All models are loaded before the first is proved: a bad
one means that nothing is written.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from formal.commands.contracting import CALLBACK, Side, check_contract, contracted, tell_together
from formal.commands.cubing import check_cubes, searching
from formal.commands.declaring import check_format, check_output, configure_manner, configure_model
from formal.commands.executing import check_executor, configure_executor
from formal.commands.remembering import cache_of, configure_cache, kept, recalled
from formal.console import (
    Exit,
    Parser,
    UsageError,
    add_to_summary,
    answer,
    check_folder,
    check_writable,
    coloured,
    columns,
    definitions,
    job_summary,
    natural,
    positive,
    say,
    say_diagnostics,
    seconds,
)
from formal.engines import AUTO, ENGINES, RACING
from formal.engines.protocol import REDUCTIONS
from formal.executor.calls import PROCESSES
from formal.formats import FORMATS, Style, load_format, load_remarks
from formal.pipeline import Answer, Request, load_lock_order, select
from formal.program import Program
from formal.progress import ProgressLine
from formal.sweep import is_sweep, unbounded
from formal.verdict import Verdict

_EXITS = {Verdict.PROVED: Exit.OK, Verdict.PROVED_UP_TO: Exit.OK, Verdict.VIOLATED: Exit.VIOLATED, Verdict.UNDECIDED: Exit.UNDECIDED}
_WORST_FIRST = (Exit.INTERNAL, Exit.INTERRUPTED, Exit.VIOLATED, Exit.UNDECIDED, Exit.OK)


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a model file")
    _configure_question(parser)
    _configure_search(parser)
    _configure_report(parser)
    parser.epilog = "example: formal prove models/savevm_locked.dsl -D VCPUS=4 --timeout 60"


def _configure_question(parser: Parser) -> None:
    """What is asked."""
    parser.add_argument("--depth", type=natural, metavar="K", help="look for violations within K steps only; this is not a proof")
    configure_model(parser, values="; several values, 1..8 or 1,2,4 or false..true, make a sweep; 1..*: every size")
    parser.add_argument(
        "--vacuity",
        action="store_true",
        help="of each proved property: whether it could fail at all, and which locks, waits, guards and assumptions its proof needs",
    )
    parser.add_argument(
        "--contract",
        action="store_true",
        help="by the contracts of hooks: of a model, the protocol with any callbacks that keep them; of a file of callbacks, these alone",
    )
    parser.add_argument("--around", metavar="FILE", help="with --contract: what stands around a callback alone (default: HOOK.dsl)")
    parser.add_argument("--property", action="append", default=[], dest="patterns", metavar="NAME", help="only these; * and ? match")


def _configure_search(parser: Parser) -> None:
    """How it is answered, and by whom."""
    parser.add_argument(
        "--engine",
        default=AUTO,
        metavar="NAME",
        help=f"{', '.join((AUTO, *ENGINES))} (default: {AUTO}, {' and '.join(RACING)} side by side)",
    )
    parser.add_argument(
        "--no-reduce", action="append", default=[], dest="without", metavar="NAME", help=f"without {' or '.join(REDUCTIONS)} (repeatable)"
    )
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="for the whole command; of a sweep, for each point")
    parser.add_argument("--jobs", type=positive, metavar="N", help="engines at work at the same time (default: all that take part)")
    parser.add_argument(
        "--parallel", type=positive, metavar="N", help="of a sweep: points at the same time (default: half as many as there are processors)"
    )
    parser.add_argument(
        "--cubes",
        type=natural,
        metavar="N",
        help="of a bounded search: split hard questions by who moves first, up to N context switches, for --jobs or --executor",
    )
    configure_executor(parser)
    configure_cache(parser)
    parser.add_argument("--watch", action="store_true", help="again whenever a file that the model reads has changed, until Ctrl-C")


def _configure_report(parser: Parser) -> None:
    """How the answer is told, and where."""
    parser.add_argument(
        "--format",
        default="text",
        metavar="NAME",
        help=f"{', '.join(FORMATS)}, of a sweep also csv (default: text); `formal schema` describes json",
    )
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the report there instead of to standard output")
    parser.add_argument("--chart", metavar="FILE", help="of a sweep: draw verdicts and what they cost against the size, as SVG")
    parser.add_argument("--save", metavar="DIR", help="write a record of each proof there, for `formal recheck`")
    parser.add_argument("--stats", action="store_true", help="with the engines' figures")
    parser.add_argument("--all", action="store_true", help="every step of a witness, also those that do not matter for the violation")
    configure_manner(parser, "the verdicts alone; no progress, no warnings", "no colour, no progress")


def run(arguments: argparse.Namespace) -> int:
    """Prove; returns the worst of the models' exit codes. Raises UsageError."""
    _check(arguments)
    if not arguments.watch:
        return _once(arguments)
    from formal.commands.watching import again

    return again(lambda: _once(arguments), arguments.models, arguments.extra)


def _once(arguments: argparse.Namespace) -> int:
    """The same, without --watch."""
    if is_sweep(arguments.defines):
        from formal.commands.sweeping import sweep

        return sweep(arguments)
    begun = time.monotonic()
    if unbounded(definitions(arguments.defines)):
        from formal.commands.any_size import prove_any_size

        with _progress(arguments) as watcher:
            all_sizes = prove_any_size(arguments, begun, watcher)
        if all_sizes is None:
            return Exit.USAGE
        code = _tell([one.answer for one in all_sizes], arguments)
        return Exit.UNDECIDED if code == Exit.OK and any(one.unsaved for one in all_sizes) else code
    cache = cache_of(arguments)
    sides = _sides(arguments)
    if sides is None:
        return Exit.USAGE
    deadline = None if arguments.timeout is None else begun + arguments.timeout
    chosen = [_chosen(side.program, tuple(arguments.patterns)) for side in sides]
    answers: list[Answer] = []
    with _progress(arguments) as watcher, searching(arguments) as search:
        for side, names in zip(sides, chosen, strict=True):
            request = _request(side, names, arguments, deadline, begun if not answers else time.monotonic())
            known = recalled(cache if arguments.save is None else None, side.program, request)  # what is recorded is found now
            found = kept(cache, side.program, request, search(side.program, known, watcher))
            if arguments.vacuity and not found.interrupted:
                found = _with_vacuity(side.program, found, deadline)
            answers.append(found if arguments.save is None else _saved(side.program, found, arguments, deadline, watcher))
            if answers[-1].interrupted:
                break
    return _tell(answers, arguments, sides)


def _tell(answers: Sequence[Answer], arguments: argparse.Namespace, sides: Sequence[Side] = ()) -> int:
    """Write the report; returns the exit code."""
    reports = [one.report for one in answers]
    render = load_format(arguments.format)
    answer(render(reports, _style(arguments)), arguments.output)
    for remark in load_remarks(arguments.format)(reports):
        say(f"note: {remark}")
    if arguments.contract and not arguments.quiet:
        tell_together(sides, answers)
    summary = job_summary()
    if summary is not None:
        from formal.formats.markdown import proved

        add_to_summary(summary, proved(reports))
    return _exit(answers)


def _sides(arguments: argparse.Namespace) -> list[Side] | None:
    """What is to be proved; None if something is bad, which is then said."""
    if arguments.contract:
        return contracted(arguments)
    defines = definitions(arguments.defines)
    programs = _load(arguments)
    return None if programs is None else [Side(program.file, program, defines) for program in programs]


def _request(side: Side, names: tuple[str, ...], arguments: argparse.Namespace, deadline: float | None, begun: float) -> Request:
    """What is asked of one program."""
    return Request(
        names,
        arguments.depth,
        arguments.engine,
        arguments.jobs,
        deadline,
        begun,
        side.defines,
        tuple(arguments.extra),
        arguments.stats,
        frozenset(arguments.without),
        outline=not arguments.quiet and side.contract != CALLBACK,
        contract=side.contract,
        around=arguments.around if side.contract == CALLBACK else None,
    )


def _check(arguments: argparse.Namespace) -> None:
    """What argparse does not see. Raises UsageError."""
    if arguments.engine not in (AUTO, *ENGINES):
        raise UsageError(f"unknown engine `{arguments.engine}`", f"the engines are {', '.join((AUTO, *ENGINES))}")
    for name in arguments.without:
        if name not in REDUCTIONS:
            raise UsageError(f"unknown reduction `{name}`", f"the reductions are {', '.join(REDUCTIONS)}")
    check_executor(arguments.executor)
    check_cubes(arguments)
    check_contract(arguments)
    definitions(arguments.defines)
    if is_sweep(arguments.defines):
        from formal.commands.sweeping import check_sweep

        check_sweep(arguments)
    else:
        _check_single(arguments)
    if unbounded(definitions(arguments.defines)):
        from formal.commands.any_size import check_any_size

        check_any_size(arguments)
    check_output(arguments, arguments.models)
    if arguments.vacuity and (arguments.depth is not None or is_sweep(arguments.defines)):
        raise UsageError(f"--vacuity goes without {'a sweep' if arguments.depth is None else '--depth'}", "it is about what is proved")
    if arguments.save is not None and (arguments.depth is not None or arguments.patterns):
        given = "--depth" if arguments.depth is not None else "--property"
        raise UsageError(f"--save goes without {given}", "a record says of every property of a model what holds for every execution")
    check_writable(arguments.output)
    check_folder(arguments.save)
    if arguments.watch:
        from formal.commands.watching import check_watch

        check_watch()


def _check_single(arguments: argparse.Namespace) -> None:
    """What is wrong without a sweep. Raises UsageError."""
    check_format(arguments, tuple(FORMATS))
    for option, given in (
        ("--chart", arguments.chart),
        ("--parallel", arguments.parallel),
        ("--executor", arguments.executor != PROCESSES and arguments.cubes is None),
    ):
        if given:
            raise UsageError(f"{option} is for a sweep", "give a parameter several values, for example -D VCPUS=1..4")


def _saved(program: Program, found: Answer, arguments: argparse.Namespace, deadline: float | None, watcher: ProgressLine) -> Answer:
    """The answer with its record written, and certificates in it; as it was where there is nothing to record, which is said."""
    from formal.certificates.making import certify_apart
    from formal.certificates.record import file_name, render

    report = found.report
    if found.interrupted or report.verdict is Verdict.UNDECIDED:
        say(f"{report.file}: no record, not everything is decided")
        return found
    certificate = certify_apart(program, report, deadline, watcher.note)
    path = str(Path(arguments.save) / file_name(report))
    text = render(report, certificate.invariant, certificate.proves, certificate.states, certificate.uncertified, certificate.rankings)
    answer(text.removesuffix("\n"), path)
    certified = tuple(replace(one, certificate=path) if one.name in certificate.certified else one for one in report.properties)
    return replace(found, report=replace(report, properties=certified))


def _with_vacuity(program: Program, found: Answer, deadline: float | None) -> Answer:
    """The answer, with what is proved looked at once more."""
    from formal.certificates.making import invariant_of
    from formal.vacuity.judging import judge

    def late() -> bool:
        return deadline is not None and time.monotonic() > deadline

    proved = [result.name for result in found.report.properties if result.verdict is Verdict.PROVED]
    vacuity = judge(program, proved, late, lambda properties: invariant_of(program, list(properties), late))
    return replace(found, report=replace(found.report, vacuity=vacuity))


def _load(arguments: argparse.Namespace) -> tuple[Program, ...] | None:
    """The models as programs, None if one of them is bad; what is to be said about them is said."""
    from formal.frontend import load

    defines = definitions(arguments.defines)
    programs = []
    for path in dict.fromkeys(arguments.models):
        loaded = load(path, defines, arguments.extra)
        if loaded.program is None or not arguments.quiet:
            say_diagnostics(loaded.diagnostics)
        programs.append(loaded.program)
    good = tuple(program for program in programs if program is not None)
    return good if len(good) == len(programs) else None


def _chosen(program: Program, patterns: tuple[str, ...]) -> tuple[str, ...]:
    names, useless = select(program, patterns)
    if useless:
        known = ", ".join(prop.name for prop in program.properties)
        raise UsageError(f"--property {useless[0]} matches no property of {program.file}", f"it has {known}")
    return names


def _progress(arguments: argparse.Namespace) -> ProgressLine:
    shown = not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color)

    def prepare() -> None:
        load_format(arguments.format)
        load_lock_order()

    return ProgressLine(sys.stderr, shown=shown, prepare=prepare)


def _style(arguments: argparse.Namespace) -> Style:
    colour = arguments.output is None and coloured(sys.stdout, plain=arguments.no_color)
    return Style(columns(arguments.output), colour, arguments.quiet, arguments.stats, arguments.all)


def _exit(answers: Sequence[Answer]) -> int:
    """The worst of the exit codes. An engine that broke down is told; it is an internal error where the others could not make up for it."""
    codes = set()
    for one in answers:
        code = _EXITS[one.report.verdict]
        for engine, crash in one.crashes:
            say(f"{one.report.file}: the {engine} engine broke down:\n{crash.rstrip()}")
            code = Exit.INTERNAL if code is Exit.UNDECIDED and crash.startswith("Traceback") else code
        codes.add(Exit.INTERRUPTED if one.interrupted else code)
    return next(code for code in _WORST_FIRST if code in codes)
