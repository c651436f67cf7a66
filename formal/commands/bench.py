"""`formal bench --stability`: how much work the stored proofs are for the solver, and which of them is becoming harder.

In: parsed arguments. Out: a table, or a document; warnings on standard error, which do not change the exit code; an exit code. All records
are read, and their models loaded, before anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formal import __version__
from formal.commands.declaring import check_format, configure_answer, configure_jobs
from formal.commands.executing import check_executor, configure_executor, hired
from formal.commands.recheck import Job, load_records, without_comparisons
from formal.console import Exit, Parser, UsageError, answer, check_writable, positive, say

if TYPE_CHECKING:
    from formal.certificates.stability import Effort, Grown

_FOLDER: Final = "proofs"
_SHOWN: Final = 20  # the dearest
_FACTOR: Final = 2.0


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("records", nargs="*", metavar="RECORD", help=f"proof records (default: all in {_FOLDER})")
    parser.add_argument("--stability", action="store_true", help="the work for each obligation that recheck discharges, with several seeds")
    parser.add_argument("--seeds", type=positive, default=5, metavar="N", help="measure with so many seeds (default: 5)")
    parser.add_argument("--against", metavar="FILE", help="what was measured before, with --format json: warn of what has grown")
    parser.add_argument(
        "--factor", type=_factor, default=_FACTOR, metavar="F", help=f"warn of so many times the work (default: {_FACTOR:g})"
    )
    configure_jobs(parser, "records")
    configure_executor(parser)
    parser.add_argument("--all", action="store_true", help=f"every obligation, not only the {_SHOWN} dearest")
    configure_answer(parser)
    parser.epilog = "example: formal bench --stability proofs/savevm_locked.json --seeds 3"


def _factor(text: str) -> float:
    """An argument that says how many times as much is too much."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number greater than 1 is wanted, not `{text}`")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Measure; returns 0 unless an obligation does not hold, or a solver gave up. Ctrl-C: what is known is told. Raises UsageError."""
    if not arguments.stability:
        raise UsageError("nothing to measure was named", "`formal bench --stability` measures stored proofs")
    check_format(arguments)
    check_executor(arguments.executor)
    check_writable(arguments.output)
    solver, before = _baseline(arguments.against)
    jobs = load_records(without_comparisons(arguments.records or _stored()))
    if jobs is None:
        return Exit.USAGE
    found, lost, interrupted = _measured(jobs, arguments)
    if interrupted and not found:
        raise KeyboardInterrupt
    if not found and not lost:
        raise UsageError(
            "nothing in these records is for a solver",
            "a record of violations alone has witnesses, one of every size has states, and neither an invariant",
        )
    code = _tell(found, lost, solver, before, arguments)
    return Exit.INTERRUPTED if interrupted else code


def _stored() -> list[str]:
    """The records of the project. Raises UsageError."""
    found = sorted(map(str, Path(_FOLDER).glob("*.json")))
    if not found:
        raise UsageError(f"there are no records in {_FOLDER}", "name some, or write them: `formal prove MODEL --save DIR`")
    return found


def _baseline(path: str | None) -> tuple[str | None, Mapping[tuple[str, str], int]]:
    """The solver that it was measured with, and the work. Raises UsageError."""
    from formal.certificates.stability import BadBaseline, read_baseline

    if path is None:
        return None, {}
    try:
        return read_baseline(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"--against {path}: {error.strerror}") from error
    except (ValueError, BadBaseline) as error:
        raise UsageError(f"--against {path}: {error}", "`formal bench --stability --format json -o FILE` writes one") from error


def _measured(jobs: Sequence[Job], arguments: argparse.Namespace) -> tuple[list[Effort], list[str], bool]:
    """By obligation, in the order of the records; what could not be measured, and why; whether that was interrupted."""
    from formal.certificates.stability import efforts
    from formal.executor.crew import gather

    found: dict[int, tuple[Effort, ...]] = {}
    interrupted = False
    lost = [f"{job.path}: not measured: {job.record.file} has changed since" for job in jobs if job.program.digest != job.record.digest]
    jobs = [job for job in jobs if job.program.digest == job.record.digest]
    with hired(arguments.executor, arguments.jobs or os.cpu_count() or 1) as crew:
        submit = crew.executor.submit
        seeds = range(arguments.seeds)
        futures = [submit(efforts, Path(job.path).name, job.record, job.program, seeds) for job in jobs]
        try:
            for ending in gather(crew, futures, lambda _, text: say(f"measured again: {text}"), lambda *_: None):
                if ending.error is None:
                    found[ending.number] = ending.value
                else:
                    lost.append(f"{jobs[ending.number].path}: not measured: {ending.error}")
        except KeyboardInterrupt:
            interrupted = True
            lost.append(f"interrupted: {len(found)} of {len(jobs)} records measured")
    return [one for number in sorted(found) for one in found[number]], sorted(lost), interrupted


def _tell(
    found: Sequence[Effort], lost: Sequence[str], solver: str | None, before: Mapping[tuple[str, str], int], arguments: argparse.Namespace
) -> int:
    from formal.certificates.solvers import SOLVERS
    from formal.certificates.stability import document, grown

    mine = SOLVERS["z3"].label
    if arguments.format == "json":
        text = json.dumps(document(found, range(arguments.seeds), __version__, mine), indent=1, ensure_ascii=False)
    else:
        text = "\n".join(_table(found, before, mine, arguments))
    answer(text, arguments.output)
    if solver is not None and solver != mine:
        say(f"note: {arguments.against} was measured with {solver}, this with {mine}")
    worse = grown(found, before, arguments.factor)
    for one in worse:
        say(f"warning: {_warning(one)}")
    for line in lost:
        say(line)
    wrong = [one for one in found if one.holds is False]
    for bad in wrong:
        say(f"{bad.record}: {bad.obligation} does not hold")
    if wrong:
        return Exit.VIOLATED
    return Exit.UNDECIDED if lost or any(one.holds is None for one in found) else Exit.OK


def _warning(one: Grown) -> str:
    effort = one.effort
    if one.before is None:
        return f"{effort.record}: {effort.obligation} takes {effort.spread:.1f} times the work with another seed"
    return f"{effort.record}: {effort.obligation} takes {effort.median / one.before:.1f} times the work that it took"


def _table(found: Sequence[Effort], before: Mapping[tuple[str, str], int], solver: str, arguments: argparse.Namespace) -> list[str]:
    dearest = sorted(found, key=lambda one: (-one.median, one.key))
    shown = dearest if arguments.all else dearest[:_SHOWN]
    width = max((len(f"{one.record}: {one.obligation}") for one in shown), default=0)
    lines = [f"{'obligation':{width}} {'median':>13} {'spread':>7} {'before':>13} {'ratio':>6}"]
    for one in shown:
        was = before.get(one.key)
        ratio = ("-", "-") if was is None else (f"{was:,}", f"{one.median / max(1, was):.2f}")
        given_up = "" if one.holds is not None else "  gave up"
        lines.append(
            f"{f'{one.record}: {one.obligation}':{width}} {one.median:13,} {one.spread:7.2f} {ratio[0]:>13} {ratio[1]:>6}{given_up}"
        )
    records = len({one.record for one in found})
    left = "" if len(shown) == len(found) else f"; {len(found) - len(shown)} cheaper ones are not shown (--all)"
    lines.append(f"{len(found)} obligations of {records} records, {arguments.seeds} seeds, in units of {solver}'s rlimit{left}")
    return lines
