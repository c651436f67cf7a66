"""How a race of engines goes, on one line of a terminal.

In: standings of the race. Out: a status line, which is gone at the end. It must not know what comes out of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from formal.race import Standing
from formal.status_line import StatusLine


class ProgressLine:
    """Watches a run. `prepare` is called once, while the engines work: the place for what takes time and will be needed at the end."""

    def __init__(self, stream: TextIO, *, shown: bool, prepare: Callable[[], object]) -> None:
        self._line = StatusLine(stream, shown=shown)
        self._prepare = prepare

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.clear()

    def started(self) -> None:
        """The engines are at work."""
        self._prepare()

    def standing(self, standing: Standing) -> None:
        """Show how far they have come."""
        parts = [f"{standing.settled}/{standing.total} settled", *(f"{name}: {note}" for name, note in standing.engines)]
        self._line.show("  ".join(parts), standing.seconds)

    def note(self, text: str) -> None:
        """Show what is being done besides."""
        self._line.show(text)

    def clear(self) -> None:
        """Take the line away."""
        self._line.clear()
