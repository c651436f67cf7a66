"""`formal mutate`: every single statement of a proved model changed, and which property notices.

In: parsed arguments. Out: the survivors, and the counts, as text or JSON; exit code 0 if no survivor is without an explanation.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

from formal.console import (
    Exit,
    Parser,
    UsageError,
    answer,
    check_writable,
    coloured,
    definitions,
    natural,
    positive,
    say_diagnostics,
    seconds,
)

if TYPE_CHECKING:
    from formal.mutants.study import NotProved, Study


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="a model that is proved")
    parser.add_argument("-D", action="append", default=[], dest="defines", metavar="NAME=VALUE", help="set a parameter (repeatable)")
    parser.add_argument("--with", action="append", default=[], dest="extra", metavar="FILE", help="add a file of callbacks (repeatable)")
    parser.add_argument("--property", action="append", default=[], dest="patterns", metavar="NAME", help="only these; * and ? match")
    parser.add_argument("--sample", type=positive, metavar="N", help="only so many mutants, chosen at random")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="choose others (default: 0)")
    parser.add_argument("--timeout", type=seconds, default=20.0, metavar="SECONDS", help="for each mutant (default: 20)")
    parser.add_argument("--jobs", type=positive, metavar="N", help="mutants at the same time (default: one a processor)")
    parser.add_argument("--format", default="text", metavar="NAME", help="text or json (default: text)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the answer there instead of to standard output")
    parser.add_argument("--all", action="store_true", help="every mutant, also those that are noticed")
    parser.add_argument("--quiet", action="store_true", help="the counts and what is left to look at; no progress")
    parser.add_argument("--no-color", action="store_true", help="no progress (so do NO_COLOR and a pipe)")
    parser.epilog = "example: formal mutate models/savevm_locked.dsl --sample 50"


def run(arguments: argparse.Namespace) -> int:
    """Judge the mutants; returns the exit code. Raises UsageError."""
    if arguments.format not in ("text", "json"):
        raise UsageError(f"unknown format `{arguments.format}`", "the formats are text, json")
    if arguments.output is not None and arguments.output in (arguments.model, *arguments.extra):
        raise UsageError(f"-o {arguments.output}: that is a model")
    check_writable(arguments.output)
    found = _study(arguments)
    if found is None:
        return Exit.USAGE
    answer(_told(found, arguments), arguments.output)
    if found.interrupted:
        return Exit.INTERRUPTED
    if found.survivors(explained=False):
        return Exit.VIOLATED
    return Exit.UNDECIDED if found.open() else Exit.OK


def _study(arguments: argparse.Namespace) -> Study | None:
    """None if the model is bad, which has then been said. Raises UsageError."""
    from formal.frontend import load
    from formal.mutants.study import NotProved, Plan, study
    from formal.pipeline import select

    loaded = load(arguments.model, definitions(arguments.defines), tuple(arguments.extra))
    program = loaded.program
    if program is None:
        say_diagnostics(loaded.diagnostics)
        return None
    names, useless = select(program, tuple(arguments.patterns))
    if useless:
        known = ", ".join(prop.name for prop in program.properties)
        raise UsageError(f"--property {useless[0]} matches no property of {program.file}", f"it has {known}")
    progress = _Progress(shown=not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color))
    jobs = arguments.jobs or os.cpu_count() or 1
    try:
        return study(program, Plan(names, jobs, arguments.timeout, arguments.sample, arguments.seed, progress))
    except NotProved as found:
        raise _not_proved(program.file, found) from found
    finally:
        progress.clear()


def _not_proved(file: str, found: NotProved) -> UsageError:
    if found.kills:
        prop, steps = found.kills[0]
        why = f"{prop} is violated after {steps} step{'' if steps == 1 else 's'}"
    else:
        why = f"it is undecided ({found.reason})"
    return UsageError(f"{file} is not proved: {why}", "mutants are held to what holds of the model; --property NAME asks for that alone")


def _told(found: Study, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from formal.mutants.document import document

        return document(found)
    from formal.mutants.telling import text

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and arguments.output is None else 80
    return text(found, max(60, width), everything=arguments.all, quiet=arguments.quiet)


class _Progress:
    """One line on standard error."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._begun = time.monotonic()

    def __call__(self, told: str) -> None:
        if self._shown:
            line = f"{time.monotonic() - self._begun:6.1f} s  {told}"[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
