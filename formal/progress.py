"""One line on a terminal that tells how a run goes, and takes itself away at the end.

In: standings of the race. Out: writes to the stream it was given; nothing when it is not a terminal that wants it. It must not know what
comes out of the run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from formal.race import Standing


class ProgressLine:
    """Watches a run. `prepare` is called once, while the engines work: the place for what takes time and will be needed at the end."""

    def __init__(self, stream: TextIO, *, shown: bool, prepare: Callable[[], object]) -> None:
        self._stream = stream
        self._shown = shown
        self._prepare = prepare
        self._written = False

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.clear()

    def started(self) -> None:
        """The engines are at work."""
        self._prepare()

    def standing(self, standing: Standing) -> None:
        """Show how far they have come."""
        if not self._shown:
            return
        width = shutil.get_terminal_size().columns - 1
        parts = [f"{standing.settled}/{standing.total} settled", *(f"{name}: {note}" for name, note in standing.engines)]
        self._write(f"{standing.seconds:6.1f} s  {'  '.join(parts)}"[:width])

    def note(self, text: str) -> None:
        """Show what is being done besides."""
        if self._shown:
            self._write(text[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Take the line away."""
        if self._written:
            self._write("")
            self._written = False

    def _write(self, line: str) -> None:
        self._stream.write(f"\r\x1b[K{line}")
        self._stream.flush()
        self._written = True
