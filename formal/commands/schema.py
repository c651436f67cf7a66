"""`formal schema`: the JSON Schema of what a command writes with `--format json`, or of a proof record.

In: parsed arguments. Out: the schema on standard output or in a file; with `--path` where it lies in the installation.
"""

from __future__ import annotations

import argparse

from formal.console import Exit, Parser, UsageError, answer, check_writable
from formal.resources import schema_path, schemas


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("command", nargs="?", default="prove", metavar="COMMAND", help=f"{', '.join(schemas())} (default: prove)")
    parser.add_argument("--path", action="store_true", help="where the schema lies, instead of the schema")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the answer there instead of to standard output")
    parser.epilog = "example: formal schema prove -o prove.schema.json"


def run(arguments: argparse.Namespace) -> int:
    """Show it. Raises UsageError."""
    if arguments.command not in schemas():
        raise UsageError(f"no schema for `{arguments.command}`", f"there is one for {', '.join(schemas())}")
    check_writable(arguments.output)
    path = schema_path(arguments.command)
    answer(str(path) if arguments.path else path.read_text(encoding="utf-8").removesuffix("\n"), arguments.output)
    return Exit.OK
