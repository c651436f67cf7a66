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
