"""How far the reading of a log has come, on one line of standard error. In: numbers of lines. Out: a line that takes itself away."""

from __future__ import annotations

import sys
import time

from formal.status_line import StatusLine


class Progress:
    """Of one log. To be made only where progress is welcome."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._last = time.monotonic()
        self._line = StatusLine(sys.stderr, shown=True)

    def __call__(self, lines: int, seconds: float) -> None:
        """So many lines in so many seconds."""
        if time.monotonic() - self._last < 0.1:
            return
        self._last = time.monotonic()
        self._line.show(f"{self._path}: {lines:,} lines", seconds)

    def clear(self) -> None:
        """Take the line away."""
        self._line.clear()
