"""`formal capture`: how to run QEMU so that its log has what `conform` and `explain-log` read.

In: parsed arguments. Out: options and commands for the user to run, or the list of events alone. It runs nothing.
"""

from __future__ import annotations

import argparse
import json
import shlex
from typing import TYPE_CHECKING

from formal.commands.declaring import check_format, configure_answer
from formal.commands.mappings import fetch, mapping_of
from formal.console import Exit, Parser, answer, check_writable, say_diagnostics
from formal.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from formal.conform.mapping import Mapping

LOG = "trace.log"
EVENTS = "trace-events.txt"
NOWHERE = "/dev/null"


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    words = "a model with a mapping beside it, or a mapping (without: what explain-log reads)"
    parser.add_argument("model", nargs="?", metavar="MODEL|MAPPING", help=words)
    parser.add_argument("--log", default=LOG, metavar="FILE", help=f"what the log is to be called (default: {LOG})")
    parser.add_argument("--events", action="store_true", help="print the events alone, one a line: the file for -trace events=FILE")
    configure_answer(parser)
    parser.epilog = """example: a log of a snapshot

  formal capture models/savevm_unlocked.dsl    # what to do, with which options
  formal capture models/savevm_unlocked.dsl --events -o trace-events.txt
"""


def run(arguments: argparse.Namespace) -> int:
    """Print what is asked for. Raises UsageError."""
    from formal.conform import capturing
    from formal.logs.reading import EVENTS as EXPLAINED

    check_format(arguments)
    check_writable(arguments.output)
    mapping = None
    if arguments.model is not None:
        mapping = _mapping(arguments.model)
        if mapping is None:
            return Exit.USAGE
    names = EXPLAINED if mapping is None else capturing.events(mapping)
    answer(_told(names, mapping, arguments), arguments.output)
    return Exit.OK


def _mapping(given: str) -> Mapping | None:
    """None for one that cannot be used, which has then been said."""
    from formal.conform.reading import read

    path = given if given.endswith(".toml") else mapping_of(given, None)
    found = (path,) if isinstance(path, Diagnostic) else read(path, fetch)
    if isinstance(found, tuple):
        say_diagnostics(found)
        return None
    return found


def _told(names: Sequence[str], mapping: Mapping | None, arguments: argparse.Namespace) -> str:
    from formal.conform import capturing

    late = not capturing.from_anywhere(mapping)
    if arguments.format == "json":
        begin = NOWHERE if late else arguments.log
        document = {
            "events": list(names),
            "options": [word for option in capturing.options(begin, None, names) for word in option],
            "at_the_moment": capturing.switch_qmp(arguments.log) if late else None,
        }
        return json.dumps(document, indent=1, ensure_ascii=False)
    if arguments.events:
        return "\n".join(names)
    return _recipe(names, mapping, arguments)


def _recipe(names: Sequence[str], mapping: Mapping | None, arguments: argparse.Namespace) -> str:
    given = [] if arguments.model is None else [arguments.model]
    what = "explain-log reads" if mapping is None else f"{mapping.source} names"
    reader = ["formal", "explain-log", arguments.log]
    if mapping is not None:
        model = arguments.model if not arguments.model.endswith(".toml") else "MODEL"
        reader = ["formal", "conform", model, *(["--mapping", arguments.model] if model == "MODEL" else []), arguments.log]
    lines = [
        f"The {len(names)} events that {what}:",
        *(f"  {name}" for name in names),
        "",
        *_run(mapping, arguments.log, shlex.join(["formal", "capture", *given, "--events", "-o", EVENTS])),
        "",
        "Then:",
        f"  {shlex.join(reader)}",
        "",
        "Without -msg timestamp=on a log has no thread ids, and cannot be used. QEMU",
        "warns of events that it does not have. Tracing locks slows it down.",
    ]
    return "\n".join(lines)


def _run(mapping: Mapping | None, log: str, listing: str) -> list[str]:
    """How QEMU is run, and which moment the log begins at."""
    from formal.conform import capturing

    late = not capturing.from_anywhere(mapping)
    command = " ".join(shlex.join(option) for option in capturing.options(NOWHERE if late else log, EVENTS, ()))
    lines = ["Run QEMU with:", f"  {listing}", f"  qemu-system-x86_64 … {command}"]
    if late:
        lines += [
            "",
            "The model begins in its initial state, and so must the log: when the guest runs,",
            "and just before what the model is about, in QEMU's monitor:",
            f"  {capturing.switch(log)}",
            "or over QMP:",
            f"  {json.dumps(capturing.switch_qmp(log))}",
        ]
    elif mapping is not None and mapping.first is not None:
        lines += ["", f"The model begins with the first {mapping.first.event}; what is logged before that is passed over."]
    return lines
