"""`formal replay`: a witness that was written down, run through the interpreter again, step by step.

In: parsed arguments. Out: the steps on standard output, an exit code: 0 when the run ends in the recorded violation, 1 when it differs.

The record names its model. A model that has changed since is refused, unless the model is named on the command line: then the question is
whether the run is still possible, and the change is only pointed out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formal import __version__
from formal.console import Exit, Parser, UsageError, answer, check_writable, coloured, definitions, say, say_diagnostics
from formal.formats import Style

if TYPE_CHECKING:
    from formal.recorded import Followed, Record


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("witness", metavar="WITNESS", help="what `formal prove --format json -o WITNESS` wrote; - is standard input")
    parser.add_argument("model", nargs="?", metavar="MODEL", help="run it on this model instead of the recorded one")
    parser.add_argument("--property", dest="prop", metavar="NAME", help="which one, where the record has several (default: each in turn)")
    parser.add_argument("-D", action="append", default=[], dest="defines", metavar="NAME=VALUE", help="another parameter than recorded")
    parser.add_argument("--format", default="text", metavar="NAME", help="text or json (default: text)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the answer there instead of to standard output")
    parser.add_argument("--no-color", action="store_true", help="no colour (so do NO_COLOR and a pipe)")
    parser.epilog = "example: formal prove models/savevm_unlocked.dsl --format json -o witness.json; formal replay witness.json"


def run(arguments: argparse.Namespace) -> int:
    """Replay; returns OK, or VIOLATED when a record differs. Raises UsageError."""
    if arguments.format not in ("text", "json"):
        raise UsageError(f"unknown format `{arguments.format}`", "the formats are text, json")
    check_writable(arguments.output)
    chosen = _choose(_read(arguments.witness), arguments.witness, arguments.prop)
    told = []
    for record in chosen:
        followed = _replay(record, arguments)
        if followed is None:
            return Exit.USAGE
        told.append((record, followed))
    text = _json(told) if arguments.format == "json" else _text(told, arguments)
    answer(text, arguments.output)
    return Exit.OK if all(followed.witness is not None for _, followed in told) else Exit.VIOLATED


def _read(path: str) -> Any:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not a JSON document ({error})", "`formal prove MODEL --format json -o FILE` writes one") from error


def _choose(document: Any, path: str, prop: str | None) -> tuple[Record, ...]:
    from formal.recorded import BadRecord, records

    try:
        found = records(document)
    except BadRecord as error:
        raise UsageError(f"{path}: {error}") from error
    chosen = tuple(record for record in found if prop in (None, record.prop))
    if not chosen:
        raise UsageError(f"{path}: no witness for {prop}", f"it has one for {', '.join(record.prop for record in found)}")
    return chosen


def _replay(record: Record, arguments: argparse.Namespace) -> Followed | None:
    """None when the model is bad, which has then been said."""
    from formal.frontend import load
    from formal.interp import Machine
    from formal.recorded import follow

    path = arguments.model or record.file
    loaded = load(path, {**record.defines, **definitions(arguments.defines)}, record.extra)
    if loaded.program is None:
        say_diagnostics(loaded.diagnostics)
        return None
    if loaded.program.digest != record.digest:
        changed = f"{path} is not the model that the witness was recorded on"
        if arguments.model is None and not arguments.defines:
            raise UsageError(changed, f"`formal replay {arguments.witness} {path}` runs it on the model as it is now")
        say(f"warning: {changed}")
    return follow(loaded.program, Machine(loaded.program), record)


def _json(told: Sequence[tuple[Record, Followed]]) -> str:
    documents = [
        {
            "formal": __version__,
            "property": record.prop,
            "file": record.file,
            "stands": followed.witness is not None,
            "steps": followed.done,
            "difference": followed.difference,
        }
        for record, followed in told
    ]
    return json.dumps(documents[0] if len(documents) == 1 else documents, indent=1, ensure_ascii=False)


def _text(told: Sequence[tuple[Record, Followed]], arguments: argparse.Namespace) -> str:
    from formal.formats.text import render_replay

    colour = arguments.output is None and coloured(sys.stdout, plain=arguments.no_color)
    style = Style(max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 80, colour)
    parts = []
    for record, followed in told:
        if followed.witness is not None:
            parts.append(render_replay(record.prop, followed.witness, style))
        else:
            parts.append(f"{record.prop}: differs after {followed.done} of {len(record.steps)} steps: {followed.difference}")
    return "\n\n".join(parts)
