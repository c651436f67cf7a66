"""How far the reading of a log has come, on one line of standard error. In: numbers of lines. Out: a line that takes itself away."""

from __future__ import annotations

import shutil
import sys
import time


class Progress:
    """Of one log. To be made only where progress is welcome."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._last = time.monotonic()
        self._written = False

    def __call__(self, lines: int, seconds: float) -> None:
        """So many lines in so many seconds."""
        if time.monotonic() - self._last < 0.1:
            return
        self._last = time.monotonic()
        text = f"{seconds:6.1f} s  {self._path}: {lines:,} lines"
        sys.stderr.write(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()
        self._written = True

    def clear(self) -> None:
        """Take the line away."""
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
