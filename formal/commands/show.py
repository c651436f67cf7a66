"""`formal show`: a model as drawings, without proving anything.

In: parsed arguments. Out: text, Mermaid or SVG on standard output or in a file, an exit code.
"""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from formal.commands.declaring import check_output, configure_model
from formal.console import Exit, Parser, UsageError, answer, check_writable, definitions, say_diagnostics

if TYPE_CHECKING:
    from formal.drawings.graph import Picture
    from formal.program import Program

_TO = ("text", "mermaid", "svg")
_WHAT = ("flow", "waits")
_ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".md": "mermaid"}


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--to", metavar="NAME", help=f"{', '.join(_TO)} (default: what FILE ends in says, else text)")
    parser.add_argument("--what", metavar="NAME", help="flow: each body's control flow; waits: who waits for whom (default: both)")
    parser.add_argument("--body", action="append", default=[], dest="bodies", metavar="NAME", help="flow of this body only (repeatable)")
    configure_model(parser)
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the drawing there instead of to standard output")
    parser.epilog = "example: formal show models/savevm_locked.dsl --what waits -o waits.svg"


def run(arguments: argparse.Namespace) -> int:
    """Draw. Raises UsageError."""
    _check(arguments)
    from formal.frontend import load

    loaded = load(arguments.model, definitions(arguments.defines), arguments.extra)
    say_diagnostics(loaded.diagnostics)
    if loaded.program is None:
        return Exit.USAGE
    answer(_drawn(loaded.program, arguments), arguments.output)
    return Exit.OK


def _check(arguments: argparse.Namespace) -> None:
    """What argparse does not see. Raises UsageError."""
    for option, value, known in (("--to", arguments.to, _TO), ("--what", arguments.what, _WHAT)):
        if value is not None and value not in known:
            raise UsageError(f"unknown {option} `{value}`", f"known are {', '.join(known)}")
    if arguments.bodies and arguments.what == "waits":
        raise UsageError("--body goes with --what flow: who waits for whom is about all of them")
    check_output(arguments, (arguments.model,))
    check_writable(arguments.output)


def _drawn(program: Program, arguments: argparse.Namespace) -> str:
    from formal.drawings.waits import tones, waits

    pictures: list[Picture] = []
    legends = {}
    if arguments.what != "flow" and not arguments.bodies:
        pictures.append(waits(program))
        legends[pictures[0].id] = tones(pictures[0])
    if arguments.what != "waits":
        pictures += _flows(program, arguments.bodies)
    ending = "" if arguments.output is None else Path(arguments.output).suffix
    match arguments.to or _ENDINGS.get(ending, "text"):
        case "svg":
            from formal.drawings.painting import paint

            return paint(f"{program.name}: {program.title}" if program.title else program.name, pictures, legends)
        case "mermaid":
            from formal.drawings.mermaid import mermaid

            return mermaid(pictures)
        case _:
            from formal.drawings.text import text

            return text(pictures)


def _flows(program: Program, names: list[str]) -> list[Picture]:
    """Of the bodies of those names, or of all. Raises UsageError."""
    from formal.drawings.flow import flow, flows
    from formal.outline import reachable

    if not names:
        return list(flows(program))
    bodies = {body.name: body for body in reachable(program)}
    for name in names:
        if name not in bodies:
            near = get_close_matches(name, bodies, 1)
            raise UsageError(
                f"no thread comes to a body `{name}`", f"did you mean `{near[0]}`?" if near else f"there are {', '.join(bodies)}"
            )
    return [flow(program, bodies[name]) for name in dict.fromkeys(names)]
