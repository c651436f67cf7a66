"""`python -m formal.executor.apart`: a server in a fresh process, for those that have threads and must not fork.

In: `Call`s on standard input. Out: `Began` and `Done` on standard output. It ends when standard input is closed, and so when the process
that started it dies.
"""

from __future__ import annotations

import os
from functools import partial

from formal.executor.server import Server
from formal.framing import send


def main() -> None:
    """Serve until standard input is closed."""
    orders, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # whatever is printed meanwhile is no answer
    Server(orders, 1, partial(send, answers)).run()


if __name__ == "__main__":
    main()
