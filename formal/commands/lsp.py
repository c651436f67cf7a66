"""`formal lsp`: the language server, for editors to start.

In: parsed arguments; then the protocol's messages, on standard input or a loopback port. Out: its answers, until the editor says goodbye.
"""

from __future__ import annotations

import argparse

from formal.console import Exit, Parser, UsageError, say

_LOOPBACK = "127.0.0.1"


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("--stdio", action="store_true", help="speak on standard input and output (the default)")
    parser.add_argument("--tcp", type=_port, metavar="PORT", help="listen on this port of the loopback interface, for one editor")
    parser.epilog = "example, in an editor's settings: formal lsp"


def run(arguments: argparse.Namespace) -> int:
    """Serve until the editor leaves. Raises UsageError."""
    if arguments.stdio and arguments.tcp is not None:
        raise UsageError("--stdio and --tcp exclude each other")
    try:
        from formal.lsp.features import make_server
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("pygls", "lsprotocol", "cattrs", "attrs"):
            raise
        raise UsageError(f"the language server needs the package {package}", "pip install 'formal[lsp]'") from error
    server = make_server()
    if arguments.tcp is None:
        server.start_io()
        return Exit.OK
    say(f"listening on {_LOOPBACK}:{arguments.tcp}")
    try:
        server.start_tcp(_LOOPBACK, arguments.tcp)
    except OSError as error:
        raise UsageError(f"--tcp {arguments.tcp}: {error.strerror}") from error
    return Exit.OK


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not `{text}`")
    return int(text)
