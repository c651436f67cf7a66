"""`formal explain`: the meaning of a diagnostic or of a built-in check, with an example.

In: parsed arguments. Out: text on standard output, an exit code.
"""

from __future__ import annotations

import argparse
from difflib import get_close_matches

from formal.console import Exit, Parser, UsageError, answer


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("code", metavar="CODE", help="a diagnostic's code, or a check's name")
    parser.epilog = "example: formal explain wrong_context"


def run(arguments: argparse.Namespace) -> int:
    """Explain; raises UsageError for what nobody knows."""
    from formal.explain import explain, topics

    text = explain(arguments.code)
    if text is None:
        near = get_close_matches(arguments.code, topics(), 3)
        hint = f"did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else f"known are {', '.join(topics())}"
        raise UsageError(f"`{arguments.code}` is no code and no check", hint)
    answer(text)
    return Exit.OK
