"""One line on a terminal that tells how work goes, and takes itself away.

In: texts. Out: writes to the stream it was given; nothing where it is not shown. It must not know what the work is.
"""

from __future__ import annotations

import shutil
from typing import TextIO


class StatusLine:
    """`shown`: the stream is a terminal that wants it."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._stream = stream
        self._shown = shown
        self._written = False

    def show(self, text: str, seconds: float | None = None) -> None:
        """A text in the place of the one before, behind the seconds that it took so far, if those are given."""
        if self._shown:
            told = text if seconds is None else f"{seconds:6.1f} s  {text}"
            self._write(told[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Take the line away, for something else to be printed in its place."""
        if self._written:
            self._write("")
            self._written = False

    def _write(self, line: str) -> None:
        self._stream.write(f"\r\x1b[K{line}")
        self._stream.flush()
        self._written = True
