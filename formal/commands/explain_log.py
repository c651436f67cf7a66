"""`formal explain-log`: what a log of a real run says about locks and threads, without a model.

In: parsed arguments. Out: the report, an exit code: 0 when the log could be read, whatever is in it, 2 when it could not.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from formal.commands.declaring import check_format, configure_answer, configure_manner
from formal.commands.progressing import Progress
from formal.console import Exit, Parser, UsageError, answer, check_writable, coloured, columns, positive, say_diagnostics

if TYPE_CHECKING:
    from formal.logs.account import Account
    from formal.logs.timeline import Timeline

FORMATS = ("text", "json", "html")
TOP = 10


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("log", metavar="LOG", help="a log of QEMU's `log` trace backend; - is standard input")
    parser.add_argument("--top", type=positive, default=TOP, metavar="N", help=f"how long the lists are (default: {TOP})")
    words = "call a thread id or an address so: 17040=CPU0 (repeatable)"
    parser.add_argument("--name", action="append", default=[], dest="names", metavar="ID=NAME", help=words)
    words = "lines that match are no events, and are counted (repeatable)"
    parser.add_argument("--ignore-line", action="append", default=[], dest="ignored", metavar="REGEX", help=words)
    configure_answer(parser, FORMATS)
    configure_manner(parser, "no progress", "no colour and no progress")
    parser.epilog = """The report tells how long each lock was held and waited for, by whom and where;
who waited for whom; circles in the order in which locks were taken; what was
held when the log ends; and what the log cannot tell. `formal capture` prints
the options with which QEMU writes such a log.

example:
  formal capture                                             # how to run QEMU
  formal explain-log trace.log
  formal explain-log trace.log --format html -o trace.html   # with a timeline
"""


def run(arguments: argparse.Namespace) -> int:
    """Read the log and tell what it says. Raises UsageError."""
    from formal.conform.log import BadLog

    check_format(arguments, FORMATS)
    check_writable(arguments.output)
    names = _names(arguments.names)
    try:
        account, timeline = _explained(arguments)
    except BadLog as error:
        say_diagnostics([error.diagnostic])
        return Exit.USAGE
    answer(_told(account, timeline, names, arguments), arguments.output)
    return Exit.OK


def _names(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        known, equals, name = word.partition("=")
        if not equals or not known.strip() or not name.strip():
            raise UsageError(f"--name wants ID=NAME, not `{word}`", "for example --name 17040=CPU0, or --name 0x55df691ecb40=BQL")
        found[known.strip()] = name.strip()
    return found


def _explained(arguments: argparse.Namespace) -> tuple[Account, Timeline]:
    from formal.conform.mapping import Pattern
    from formal.logs.reading import explained

    try:
        others = tuple(Pattern(None, re.compile(text)) for text in arguments.ignored)
    except re.error as error:
        raise UsageError(f"--ignore-line: `{error.pattern!r}` is no regular expression: {error}") from error
    shown = not arguments.quiet and coloured(sys.stderr, plain=arguments.no_color)
    told = Progress(arguments.log) if shown else None
    try:
        if arguments.log == "-":
            return explained("<standard input>", sys.stdin.buffer, top=arguments.top, others=others, told=told)
        with Path(arguments.log).open("rb") as lines:
            return explained(arguments.log, lines, top=arguments.top, others=others, told=told)
    except OSError as error:
        raise UsageError(f"{arguments.log}: {error.strerror}") from error
    finally:
        if told is not None:
            told.clear()


def _told(account: Account, timeline: Timeline, names: dict[str, str], arguments: argparse.Namespace) -> str:
    from formal.logs.wording import Wording

    words = Wording(account, names)
    if arguments.format == "json":
        from formal.logs.document import document

        return json.dumps(document(words), indent=1, ensure_ascii=False)
    if arguments.format == "html":
        from formal.logs.page import render

        return render(words, timeline, arguments.top)
    from formal.logs.text import text

    return text(words, columns(arguments.output), arguments.top)
