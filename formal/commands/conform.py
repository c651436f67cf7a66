"""`formal conform`: is a log of a real run a run of the model?

In: parsed arguments. Out: what became of each log on standard output, an exit code: 0 when every log is accepted, 1 when one is rejected,
2 for a bad model, mapping or log, 3 when more states are possible than there is memory for.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formal.commands.declaring import check_format, configure_answer, configure_manner, configure_model
from formal.commands.mappings import fetch, mapping_of
from formal.commands.progressing import Progress
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
    say_diagnostics,
)
from formal.diagnostics import Diagnostic

if TYPE_CHECKING:
    from formal.conform.checking import Checking
    from formal.conform.mapping import Mapping
    from formal.conform.result import Result

MEMORY = 1024  # MiB
STATE = 4096  # bytes that one possible state takes, with what is remembered of it


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("logs", nargs="+", metavar="LOG", help="a log of QEMU's `log` trace backend; - is standard input")
    parser.add_argument("--mapping", metavar="FILE", help="which lines are which steps (default: MODEL with .toml for .dsl)")
    configure_model(parser, extra="declarations")
    parser.add_argument("--memory", type=positive, default=MEMORY, metavar="MIB", help=f"give up beyond that many MiB (default: {MEMORY})")
    words = "change one line of each accepted log, N times over, and say how many changes are noticed"
    parser.add_argument("--mutate", type=positive, metavar="N", help=words)
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="of --mutate's choices (default: 0)")
    configure_answer(parser, schema="conform")
    configure_manner(parser, "no progress", "no colour and no progress")
    parser.epilog = """A log is accepted if some execution of the model shows exactly its events, in
their order. Steps that no rule of the mapping names may happen anywhere in
between. docs/conform.md describes mappings.

example: a snapshot of QEMU 7.2, its thread ids and its locks in the log

  formal capture models/savevm_unlocked.dsl            # how to run QEMU for it
  formal conform models/savevm_unlocked.dsl trace.log  # accepted
  formal conform models/savevm_locked.dsl trace.log    # rejected, at the unlock
                                                       # that 930e239d11 removed
"""


def run(arguments: argparse.Namespace) -> int:
    """Check each log; returns the worst. Raises UsageError."""
    from formal.conform.log import BadLog

    check_format(arguments)
    check_writable(arguments.output)
    checking = _checking(arguments)
    if checking is None:
        return Exit.USAGE
    results: list[Result] = []
    told: list[tuple[str, dict[str, Any]]] = []
    bad = False
    for path in arguments.logs:
        try:
            result = _check(checking, path, arguments)
            told.append(_told(result, arguments))
            if arguments.mutate is not None and result.status == "accepted":
                told.append(_mutated(checking, path, arguments))
        except BadLog as error:
            say_diagnostics([error.diagnostic])
            bad = True
        else:
            results.append(result)
    if told:
        documents = [document for _, document in told]
        as_json = json.dumps(documents[0] if len(documents) == 1 else documents, indent=1, ensure_ascii=False)
        answer(as_json if arguments.format == "json" else "\n\n".join(text for text, _ in told), arguments.output)
    if bad:
        return Exit.USAGE
    found = {result.status for result in results}
    return Exit.VIOLATED if "rejected" in found else Exit.UNDECIDED if "undecided" in found else Exit.OK


# ---------------------------------------------------------------- model and mapping


def _checking(arguments: argparse.Namespace) -> Checking | None:
    """None when the model or its mapping is bad, which has then been said."""
    from formal.conform.checking import Checking
    from formal.conform.fitting import misfits
    from formal.frontend import load
    from formal.interp import Machine

    mapping = _mapping(arguments)
    if mapping is None:
        return None
    extra = [*mapping.extra, *arguments.extra]
    loaded = load(arguments.model, {**mapping.parameters, **definitions(arguments.defines)}, extra)
    if loaded.program is None:
        say_diagnostics(loaded.diagnostics)
        return None
    machine = Machine(loaded.program)
    wrong = misfits(mapping, machine)
    if wrong:
        say_diagnostics(wrong)
        return None
    return Checking(machine, mapping, arguments.memory * 1024 * 1024 // STATE)


def _mapping(arguments: argparse.Namespace) -> Mapping | None:
    from formal.conform.reading import read

    path = mapping_of(arguments.model, arguments.mapping)
    if isinstance(path, Diagnostic):
        say_diagnostics([path])
        return None
    found = read(path, fetch)
    if isinstance(found, tuple):
        say_diagnostics(found)
        return None
    return found


# ---------------------------------------------------------------- logs


def _check(checking: Checking, path: str, arguments: argparse.Namespace) -> Result:
    shown = not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color)
    told = Progress(path) if shown else None
    try:
        if path == "-":
            return checking.check("<standard input>", sys.stdin.buffer, told)
        with Path(path).open("rb") as lines:
            return checking.check(path, lines, told)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    finally:
        if told is not None:
            told.clear()


def _told(result: Result, arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    from formal.conform import telling

    return telling.text(result, columns(arguments.output)), telling.document(result)


def _mutated(checking: Checking, path: str, arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    from formal.conform import telling
    from formal.conform.mutating import mutants

    if path == "-":
        raise UsageError("--mutate needs a file that can be read again, not standard input")
    with Path(path).open("rb") as file:
        found = list(mutants(checking, path, list(file), arguments.mutate, arguments.seed))
    text = telling.mutation_text(path, found, arguments.seed, columns(arguments.output))
    return text, telling.mutation_document(path, found, arguments.seed)
