"""Arguments that many commands have, each declared here once.

In: a parser, and what differs from command to command. Out: the arguments. It must not know what they are used for.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from formal.console import Parser, UsageError, positive, seconds

TEXT_OR_JSON: Final = ("text", "json")


def configure_model(parser: Parser, of: str = "", values: str = "", extra: str = "callbacks") -> None:
    """What a model is loaded with. `of`: of which models; `values`: what may be said besides one value; `extra`: what files may
    add."""
    configure_defines(parser, of, values)
    parser.add_argument("--with", action="append", default=[], dest="extra", metavar="FILE", help=f"add a file of {extra} (repeatable)")


def configure_defines(parser: Parser, of: str = "", values: str = "") -> None:
    """What the parameters are. `of`: of which models; `values`: what may be said besides one value."""
    told = f"set a parameter{of} (repeatable){values}"
    parser.add_argument("-D", action="append", default=[], dest="defines", metavar="NAME=VALUE", help=told)


def configure_time(parser: Parser, default: float, whose: str) -> None:
    """How long it may take."""
    parser.add_argument("--timeout", type=seconds, default=default, metavar="SECONDS", help=f"for {whose} (default: {default:g})")


def configure_jobs(parser: Parser, what: str) -> None:
    """How much is done at the same time."""
    parser.add_argument("--jobs", type=positive, metavar="N", help=f"{what} at the same time (default: one a processor)")


def configure_answer(parser: Parser, formats: Sequence[str] = TEXT_OR_JSON, told: str = "answer", schema: str = "") -> None:
    """How the answer is written, and where. `schema`: the name of what describes it as JSON."""
    listed = " or ".join(formats) if len(formats) == 2 else ", ".join(formats)
    described = f"; `formal schema {schema}` describes json" if schema else ""
    parser.add_argument("--format", default=formats[0], metavar="NAME", help=f"{listed} (default: {formats[0]}){described}")
    parser.add_argument("-o", dest="output", metavar="FILE", help=f"write the {told} there instead of to standard output")


def configure_manner(parser: Parser, quiet: str, plain: str = "no progress") -> None:
    """How much is said on the way. `quiet`, `plain`: what is left out, or left."""
    parser.add_argument("--quiet", action="store_true", help=quiet)
    parser.add_argument("--no-color", action="store_true", help=f"{plain} (so do NO_COLOR and a pipe)")


def check_answer(arguments: argparse.Namespace, models: Sequence[str], formats: Sequence[str] = TEXT_OR_JSON) -> None:
    """Raises UsageError for a format that there is not, and where the answer would be written over a model."""
    check_format(arguments, formats)
    check_output(arguments, models)


def check_format(arguments: argparse.Namespace, formats: Sequence[str] = TEXT_OR_JSON) -> None:
    """Raises UsageError for a format that there is not."""
    if arguments.format not in formats:
        raise UsageError(f"unknown format `{arguments.format}`", f"the formats are {', '.join(formats)}")


def check_output(arguments: argparse.Namespace, models: Sequence[str]) -> None:
    """Raises UsageError where the answer would be written over a model."""
    if arguments.output is not None and arguments.output in (*models, *arguments.extra):
        raise UsageError(f"-o {arguments.output}: that is a model")
