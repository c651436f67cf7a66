"""`formal capture`: how to run QEMU so that its log has what `conform` and `explain-log` read.

In: parsed arguments. Out: options, a list of events, or commands for QEMU's monitor, to be run by the user. It runs nothing.
"""

from __future__ import annotations

import argparse
import json
import shlex
from typing import TYPE_CHECKING

from formal.commands.mappings import fetch, mapping_of
from formal.console import Exit, Parser, UsageError, answer, check_writable, say_diagnostics
from formal.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from formal.conform.mapping import Mapping

LOG = "trace.log"
EVENTS = "trace-events.txt"


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    words = "a model with a mapping beside it, or a mapping (without: what explain-log reads)"
    parser.add_argument("model", nargs="?", metavar="MODEL|MAPPING", help=words)
    parser.add_argument("--log", default=LOG, metavar="FILE", help=f"what the log is to be called (default: {LOG})")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--events", action="store_true", help="print the events alone, one a line: the file for -trace events=FILE")
    only.add_argument("--qmp", action="store_true", help="print the commands alone that switch them on in a run, for QMP")
    parser.add_argument("--format", default="text", metavar="NAME", help="text or json (default: text)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the answer there instead of to standard output")
    parser.epilog = """example: a log of a snapshot, from just before the command

  formal capture models/savevm_unlocked.dsl
  qemu-system-x86_64 … -msg timestamp=on -D trace.log -qmp unix:qmp.sock,server=on,wait=off
  (echo '{"execute": "qmp_capabilities"}'; formal capture models/savevm_unlocked.dsl --qmp) | socat - unix:qmp.sock
  formal conform models/savevm_unlocked.dsl trace.log
"""


def run(arguments: argparse.Namespace) -> int:
    """Print what is asked for. Raises UsageError."""
    from formal.conform import capturing
    from formal.logs.reading import EVENTS as EXPLAINED

    if arguments.format not in ("text", "json"):
        raise UsageError(f"unknown format `{arguments.format}`", "the formats are text, json")
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

    if arguments.format == "json":
        document = {
            "events": list(names),
            "options": [word for option in capturing.options(arguments.log, None, names) for word in option],
            "qmp": capturing.monitor(names),
            "from_start": mapping is None or mapping.first is not None,
        }
        return json.dumps(document, indent=1, ensure_ascii=False)
    if arguments.events:
        return "\n".join(names)
    if arguments.qmp:
        return "\n".join(json.dumps(command) for command in capturing.monitor(names))
    return _recipe(names, mapping, arguments)


def _recipe(names: Sequence[str], mapping: Mapping | None, arguments: argparse.Namespace) -> str:
    from formal.conform.capturing import options, patterns

    given = [] if arguments.model is None else [arguments.model]
    own = shlex.join(["formal", "capture", *given])
    what = "explain-log reads" if mapping is None else f"{mapping.source} names"
    reader = ["formal", "explain-log", arguments.log]
    if mapping is not None:
        model = arguments.model if not arguments.model.endswith(".toml") else "MODEL"
        reader = ["formal", "conform", model, *(["--mapping", arguments.model] if model == "MODEL" else []), arguments.log]
    whole = " ".join(shlex.join(option) for option in options(arguments.log, EVENTS, names))
    begin = " ".join(shlex.join(option) for option in options(arguments.log, None, ()))
    switches = "\n".join(f"  trace-event {name} on" for name in patterns(names))
    lines = [
        f"The {len(names)} events that {what}:",
        *(f"  {name}" for name in names),
        "",
        *_advice(mapping),
        "",
        "The whole run, from QEMU's first line on:",
        f"  {own} --events -o {EVENTS}",
        f"  qemu-system-x86_64 … {whole}",
        "",
        "From a moment on:",
        f"  qemu-system-x86_64 … {begin}",
        "and at that moment, in QEMU's monitor (HMP; --qmp prints the same for QMP):",
        switches,
        "",
        "Then:",
        f"  {shlex.join(reader)}",
        "",
        "Without -msg timestamp=on the log has no thread ids, and cannot be used. Tracing locks slows QEMU down.",
    ]
    return "\n".join(lines)


def _advice(mapping: Mapping | None) -> list[str]:
    """Which of the two ways the mapping is made for."""
    if mapping is None:
        return ["A log may begin at any moment: what was held before is then told as such."]
    if mapping.first is not None:
        return [f"The model starts with the first {mapping.first.event}: the log may begin at any moment before that."]
    if mapping.start == "reachable":
        return ["The log may begin at any moment: any reachable state will do."]
    return ["The model starts where the log does, in its initial state: log from a moment on at which that holds, not from QEMU's start."]
