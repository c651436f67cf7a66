"""`formal catalogue`: a table of models, made of what they say themselves.

In: parsed arguments. Out: Markdown, or with `--check` whether a file is that; an exit code. Nothing is proved.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from formal.commands.regress import find_models
from formal.console import Exit, Parser, UsageError, answer, check_writable, say, say_diagnostics


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="model files, or folders of them (default: models)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write it there; links start from the folder of FILE")
    parser.add_argument("--check", action="store_true", help="write nothing: exit 1 if FILE is not what would be written")
    parser.epilog = "example: formal catalogue models -o models/README.md"


def run(arguments: argparse.Namespace) -> int:
    """Write it, or compare; returns VIOLATED when the file differs, USAGE when a model cannot be read. Raises UsageError."""
    from formal.catalogue import Request, catalogue
    from formal.library import read_library

    paths, output = arguments.paths or ["models"], arguments.output
    if arguments.check and output is None:
        raise UsageError("--check needs -o FILE, the file to compare with")
    models, parts = find_models(paths)
    if not models:
        raise UsageError(f"no model with a `protocol` head below {' '.join(paths)}")
    if output in (*models, *parts):
        raise UsageError(f"-o {output}: that is a model")
    if not arguments.check:
        check_writable(output)
    library = read_library([*models, *parts])
    mistakes = [diagnostic for file in library.files.values() for diagnostic in file.diagnostics]
    if mistakes:
        say_diagnostics(mistakes)
        return Exit.USAGE
    command = shlex.join(["formal", "catalogue", *paths, *(["-o", output] if output else [])])
    base = Path(output).parent if output else Path()
    text = catalogue(library, Request(models, parts, base.resolve(), command))
    if arguments.check:
        return _compare(text, output, command)
    answer(text, output)
    return Exit.OK


def _compare(text: str, output: str, command: str) -> Exit:
    try:
        there = Path(output).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        say(f"{output}: {getattr(error, 'strerror', None) or error}")
        return Exit.VIOLATED
    if there == text + "\n":
        answer(f"{output}: as the models say")
        return Exit.OK
    say(f"{output} is not what the models say now; `{command}` writes it")
    return Exit.VIOLATED
