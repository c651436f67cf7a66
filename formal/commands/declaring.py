"""Arguments that many commands have, each declared here once.

In: a parser, and what differs from command to command. Out: the arguments. It must not know what they are used for.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from formal.console import Parser, UsageError, positive, seconds


def configure_model(parser: Parser, of: str = "") -> None:
    """What a model is loaded with. `of`: of which models."""
    parser.add_argument("-D", action="append", default=[], dest="defines", metavar="NAME=VALUE", help=f"set a parameter{of} (repeatable)")
    parser.add_argument("--with", action="append", default=[], dest="extra", metavar="FILE", help="add a file of callbacks (repeatable)")


def configure_time(parser: Parser, default: float, whose: str) -> None:
    """How long it may take."""
    parser.add_argument("--timeout", type=seconds, default=default, metavar="SECONDS", help=f"for {whose} (default: {default:g})")


def configure_jobs(parser: Parser, what: str) -> None:
    """How much is done at the same time."""
    parser.add_argument("--jobs", type=positive, metavar="N", help=f"{what} at the same time (default: one a processor)")


def configure_answer(parser: Parser, formats: Sequence[str], told: str = "answer", schema: str = "") -> None:
    """How the answer is written, and where. `schema`: the name of what describes it as JSON."""
    listed = " or ".join(formats) if len(formats) == 2 else ", ".join(formats)
    described = f"; `formal schema {schema}` describes json" if schema else ""
    parser.add_argument("--format", default=formats[0], metavar="NAME", help=f"{listed} (default: {formats[0]}){described}")
    parser.add_argument("-o", dest="output", metavar="FILE", help=f"write the {told} there instead of to standard output")


def configure_manner(parser: Parser, quiet: str, plain: str = "no progress") -> None:
    """How much is said on the way. `quiet`, `plain`: what is left out, or left."""
    parser.add_argument("--quiet", action="store_true", help=quiet)
    parser.add_argument("--no-color", action="store_true", help=f"{plain} (so do NO_COLOR and a pipe)")


def check_answer(arguments: argparse.Namespace, formats: Sequence[str], models: Sequence[str]) -> None:
    """Raises UsageError for a format that there is not, and where the answer would be written over a model."""
    if arguments.format not in formats:
        raise UsageError(f"unknown format `{arguments.format}`", f"the formats are {', '.join(formats)}")
    if arguments.output is not None and arguments.output in (*models, *arguments.extra):
        raise UsageError(f"-o {arguments.output}: that is a model")
