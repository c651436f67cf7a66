"""`formal export`: a model's transition system for other tools.

In: parsed arguments. Out: the file, on standard output or where `-o` says; an exit code. Nothing is proved.
"""

from __future__ import annotations

import argparse
import shlex
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formal.commands.declaring import check_output, configure_model
from formal.console import Exit, Parser, UsageError, answer, check_writable, definitions, natural, say, say_diagnostics
from formal.exports import EXPORTS, TooLarge, Wanted, load_export

if TYPE_CHECKING:
    from formal.program import Program, Property

_ENDINGS: Final = {
    ".pml": "promela",
    ".smt2": "smt2",
    ".vmt": "smt2",
    ".btor2": "btor2",
    ".btor": "btor2",
    ".aag": "aiger",
    ".aig": "aiger",
}
_BINARY: Final = ".aig"


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--to", metavar="NAME", help=f"{', '.join(EXPORTS)} (default: what FILE ends in says)")
    parser.add_argument(
        "--property", action="append", default=[], dest="properties", metavar="NAME", help="this one only (repeatable, globs; default: all)"
    )
    parser.add_argument("--depth", type=natural, metavar="K", help="smt2: one question about executions of up to K steps (else: VMT)")
    configure_model(parser)
    parser.add_argument("-o", dest="output", metavar="FILE", help="write it there instead of to standard output; .aig: binary AIGER")
    parser.epilog = "example: formal export models/savevm_locked.dsl --to promela -o savevm.pml"


def run(arguments: argparse.Namespace) -> int:
    """Write it. Raises UsageError."""
    name = _format(arguments)
    from formal.frontend import load

    loaded = load(arguments.model, definitions(arguments.defines), arguments.extra)
    say_diagnostics(loaded.diagnostics)
    if loaded.program is None:
        return Exit.USAGE
    properties, left_out = _chosen(loaded.program, arguments.properties)
    wanted = Wanted(loaded.program, properties, arguments.depth, _binary(arguments), _command(arguments, name))
    try:
        written = load_export(name)(wanted)
    except TooLarge as error:
        raise UsageError(f"{arguments.model} is too large for {name}: {error}", "smaller parameters, or fewer of --property") from error
    _write(written, arguments.output)
    if left_out:
        say(f"formal: left out, being about whole executions: {', '.join(left_out)}")
    return Exit.OK


def _format(arguments: argparse.Namespace) -> str:
    """The name of the format; and what argparse does not see. Raises UsageError."""
    ending = "" if arguments.output is None else Path(arguments.output).suffix
    name: str | None = arguments.to or _ENDINGS.get(ending)
    if name is None:
        raise UsageError("--to is missing", f"known are {', '.join(EXPORTS)}")
    if name not in EXPORTS:
        near = get_close_matches(name, EXPORTS, 1)
        raise UsageError(f"unknown format `{name}`", f"did you mean `{near[0]}`?" if near else f"known are {', '.join(EXPORTS)}")
    if arguments.depth is not None and name != "smt2":
        raise UsageError("--depth goes with --to smt2", f"the tools that read {name} bound the search themselves")
    check_output(arguments, (arguments.model,))
    check_writable(arguments.output)
    return name


def _chosen(program: Program, patterns: list[str]) -> tuple[tuple[Property, ...], tuple[str, ...]]:
    """The properties to write down, and the names of those that nobody asked for by name and that cannot be. Raises UsageError."""
    from formal.pipeline import select

    names, unknown = select(program, tuple(patterns))
    if unknown:
        known = [prop.name for prop in program.properties]
        near = get_close_matches(unknown[0], known, 1)
        raise UsageError(f"no property matches `{unknown[0]}`", f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}")
    asked = [prop for prop in program.properties if prop.name in set(names)]
    liveness = tuple(prop.name for prop in asked if prop.kind == "liveness")
    by_name = [name for name in liveness if name in patterns]
    if by_name:
        raise UsageError(f"`{by_name[0]}` is about whole executions, and is not exported", "`formal prove` settles it")
    if len(liveness) == len(asked):
        raise UsageError("nothing to export: every property asked for is about whole executions", "`formal prove` settles them")
    return tuple(prop for prop in asked if prop.kind != "liveness"), liveness


def _binary(arguments: argparse.Namespace) -> bool:
    return arguments.output is not None and Path(arguments.output).suffix == _BINARY


def _command(arguments: argparse.Namespace, name: str) -> str:
    words = ["formal", "export", arguments.model, "--to", name]
    for option, values in (("--property", arguments.properties), ("-D", arguments.defines), ("--with", arguments.extra)):
        words += [word for value in values for word in (option, value)]
    return shlex.join([*words, *([] if arguments.depth is None else ["--depth", str(arguments.depth)])])


def _write(written: bytes, path: str | None) -> None:
    """On standard output, or in the file. Raises UsageError when the file cannot be written."""
    if path is None:
        answer(written.decode().removesuffix("\n"))
        return
    try:
        Path(path).write_bytes(written)
    except OSError as error:
        raise UsageError(f"-o {path}: {error.strerror}") from error
