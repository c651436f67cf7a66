"""`formal simulate`: random walks through a model, or a walk step by step by hand.

In: parsed arguments. Out: what the walks met and executed, an exit code: 1 when a property was violated. No violation met is no proof, and
is never called one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Set
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from formal.commands.declaring import check_format, check_output, configure_model
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
from formal.formats import Style

if TYPE_CHECKING:
    from formal.program import Program

_SCHEDULERS = ("mixed", "uniform", "sticky", "priorities")


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="the same seed gives the same walks (default: 0)")
    parser.add_argument("--runs", type=positive, metavar="N", help="walks from the initial state (default: 50)")
    parser.add_argument("--steps", type=natural, metavar="N", help="of each walk, at most (default: 1000)")
    parser.add_argument(
        "--scheduler",
        metavar="NAME",
        help=f"who moves next: {', '.join(_SCHEDULERS[1:])}, or each in turn (default: mixed)",
    )
    configure_model(parser)
    parser.add_argument("--interactive", action="store_true", help="pick each step by hand; ? helps, q ends")
    parser.add_argument("--format", default="text", metavar="NAME", help="text or json (default: text); `formal replay` takes the latter")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the answer there instead of to standard output")
    parser.add_argument("--all", action="store_true", help="every step of a witness, also those that do not matter for the violation")
    parser.add_argument("--no-color", action="store_true", help="no colour (so do NO_COLOR and a pipe)")
    parser.epilog = "example: formal simulate models/savevm_unlocked.dsl --seed 7 --runs 100"


def run(arguments: argparse.Namespace) -> int:
    """Walk; returns OK when no violation was met. Raises UsageError."""
    begun = time.monotonic()
    _check(arguments)
    from formal.frontend import load

    loaded = load(arguments.model, definitions(arguments.defines), arguments.extra)
    say_diagnostics(loaded.diagnostics)
    if loaded.program is None:
        return Exit.USAGE
    return _by_hand(loaded.program, arguments) if arguments.interactive else _walks(loaded.program, arguments, begun)


def _check(arguments: argparse.Namespace) -> None:
    """What argparse does not see. Raises UsageError."""
    check_format(arguments)
    if arguments.scheduler not in (None, *_SCHEDULERS):
        raise UsageError(f"unknown scheduler `{arguments.scheduler}`", f"the schedulers are {', '.join(_SCHEDULERS)}")
    if arguments.interactive:
        alone = {"--runs": "runs", "--steps": "steps", "--scheduler": "scheduler", "-o": "output"}
        given = [option for option, name in alone.items() if getattr(arguments, name) is not None]
        given += ["--format json"] if arguments.format == "json" else []
        if given:
            raise UsageError(f"--interactive goes without {given[0]}", "`s FILE` saves the walk, `b N` takes N steps at random")
    check_output(arguments, (arguments.model,))
    check_writable(arguments.output)


def _walks(program: Program, arguments: argparse.Namespace, begun: float) -> int:
    from formal.progress import ProgressLine
    from formal.simulated import Simulated, render_json, render_text
    from formal.walks.simulation import Plan, simulate

    usual = Plan()
    steps = usual.steps if arguments.steps is None else arguments.steps
    plan = Plan(arguments.seed, arguments.runs or usual.runs, steps, arguments.scheduler or usual.scheduler)
    shown = coloured(sys.stderr, plain=arguments.no_color)
    with ProgressLine(sys.stderr, shown=shown, prepare=lambda: None) as line:
        found = simulate(program, plan, lambda walks: line.note(f"{walks} of {plan.runs} walks"))
    simulated = Simulated(program, found, definitions(arguments.defines), tuple(arguments.extra), time.monotonic() - begun)
    colour = arguments.output is None and coloured(sys.stdout, plain=arguments.no_color)
    width = columns(arguments.output)
    text = render_json(simulated) if arguments.format == "json" else render_text(simulated, Style(width, colour, unfold=arguments.all))
    answer(text, arguments.output)
    if found.interrupted:
        return Exit.INTERRUPTED
    return Exit.VIOLATED if found.violations else Exit.OK


def _by_hand(program: Program, arguments: argparse.Namespace) -> int:
    from formal.commands.stepping import converse
    from formal.interp import Machine
    from formal.stepping.dialogue import Dialogue, Setting
    from formal.stepping.ink import Ink

    ink = Ink(columns(None), coloured(sys.stdout, plain=arguments.no_color))
    models = {str(Path(source.path).absolute()) for source in program.sources}
    setting = Setting(ink, definitions(arguments.defines), tuple(arguments.extra), arguments.seed, partial(_save, models))
    dialogue = Dialogue(Machine(program), setting)
    converse(dialogue)
    return Exit.VIOLATED if dialogue.violated else Exit.OK


def _save(models: Set[str], path: str, text: str) -> None:
    """Write a record. Raises Mistake when that cannot be, or would overwrite a model."""
    from formal.stepping.dialogue import Mistake

    if str(Path(path).absolute()) in models:
        raise Mistake(f"{path}: that is a model")
    try:
        check_writable(path)
        answer(text, path)
    except UsageError as error:
        raise Mistake(error.message.removeprefix("-o ")) from error
