"""`formal mutate`: every single statement of a proved model changed, and which property notices.

In: parsed arguments. Out: the survivors, and the counts, as text or JSON; exit code 0 if no survivor is without an explanation, and no
explanation without a survivor.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from formal.commands.declaring import check_answer, configure_answer, configure_jobs, configure_manner, configure_model, configure_time
from formal.commands.executing import check_executor, configure_executor
from formal.console import (
    Exit,
    Parser,
    UsageError,
    answer,
    check_writable,
    coloured,
    columns,
    definitions,
    natural,
    positive,
    say,
    say_diagnostics,
)
from formal.status_line import StatusLine

if TYPE_CHECKING:
    from formal.mutants.study import NotProved, Study
    from formal.program import Program


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="a model that is proved")
    configure_model(parser)
    parser.add_argument("--property", action="append", default=[], dest="patterns", metavar="NAME", help="only these; * and ? match")
    words = "a model that may notice what this one does not (repeatable), besides those that MODEL names itself (`// Beside: FILE`)"
    parser.add_argument("--beside", action="append", default=[], metavar="FILE", help=words)
    parser.add_argument("--sample", type=positive, metavar="N", help="only so many mutants, chosen at random")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="choose others (default: 0)")
    configure_time(parser, 20, "each mutant")
    configure_jobs(parser, "mutants")
    configure_executor(parser)
    configure_answer(parser, schema="mutate")
    parser.add_argument("--all", action="store_true", help="every mutant, also those that are noticed")
    configure_manner(parser, "the counts and what is left to look at; no progress")
    parser.epilog = "example: formal mutate models/savevm_locked.dsl --sample 50"


def run(arguments: argparse.Namespace) -> int:
    """Judge the mutants; returns the exit code. Raises UsageError."""
    check_answer(arguments, (arguments.model,))
    check_writable(arguments.output)
    check_executor(arguments.executor)
    found = _study(arguments)
    if found is None:
        return Exit.USAGE
    answer(_told(found, arguments), arguments.output)
    if found.interrupted:
        return Exit.INTERRUPTED
    if found.survivors(explained=False) or found.stale:
        return Exit.VIOLATED
    return Exit.UNDECIDED if found.open() else Exit.OK


def _study(arguments: argparse.Namespace) -> Study | None:
    """None if the model is bad, which has then been said. Raises UsageError."""
    from formal.executor.calls import ExecutorError
    from formal.frontend import load
    from formal.mutants.study import NotAsExpected, NotProved, Plan, study
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
    beside = _beside(program, arguments)
    if beside is None:
        return None
    progress = _Progress(shown=not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color))
    jobs = arguments.jobs or os.cpu_count() or 1
    chosen = (arguments.sample, arguments.seed)
    try:
        return study(program, Plan(names, jobs, arguments.timeout, *chosen, beside, arguments.executor, progress, progress.note))
    except NotProved as found:
        raise _not_proved(program.file, found) from found
    except NotAsExpected as other:
        raise UsageError(
            f"{other.file}, a model beside {program.file}, is not as it expects: {other.what}", "it can notice nothing"
        ) from other
    except ExecutorError as error:
        raise UsageError(error.message, error.hint) from error
    finally:
        progress.clear()


def _beside(program: Program, arguments: argparse.Namespace) -> tuple[Program, ...] | None:
    """The models beside it, as they are without -D; None if one is bad, which has then been said."""
    from formal.frontend import load
    from formal.mutants.beside import named

    folder = Path(arguments.model).parent
    files = dict.fromkeys([*(str(folder / file) for file in named(program.sources[0])), *arguments.beside])
    loaded = [load(file, {}, ()) for file in files]
    found = tuple(one.program for one in loaded if one.program is not None)
    if len(found) < len(loaded):
        say_diagnostics([told for one in loaded if one.program is None for told in one.diagnostics])
        return None
    return found


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

    return text(found, max(60, columns(arguments.output)), everything=arguments.all, quiet=arguments.quiet)


class _Progress:
    """One line on standard error."""

    def __init__(self, *, shown: bool) -> None:
        self._line = StatusLine(sys.stderr, shown=shown)
        self._begun = time.monotonic()

    def __call__(self, told: str) -> None:
        self._line.show(told, time.monotonic() - self._begun)

    def note(self, told: str) -> None:
        """What happened to a process."""
        self.clear()
        say(f"note: {told}")

    def clear(self) -> None:
        """Take the line away."""
        self._line.clear()
