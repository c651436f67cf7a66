"""What is at work, on a terminal: a line a model, which goes away when the model is done.

In: names and seconds. Out: writes to the stream that it was given; nothing when it is not shown. There is no thread behind it: it is drawn
when it is told something, so that the process can go on forking.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.live import Live


class Board:
    """`shown`: the stream is a terminal that wants it."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._live = _live(stream) if shown else None

    def __enter__(self) -> Board:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.clear()
        if self._live is not None:
            self._live.stop()

    def show(self, working: Sequence[tuple[str, float]], done: int, total: int, seconds: float) -> None:
        """Each that is at work and since how many seconds; how many are done, and after how long."""
        if self._live is None:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2), pad_edge=False)
        table.add_column(overflow="ellipsis", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        for name, since in working:
            table.add_row(Text(name, "bold"), Text(f"{since:.1f} s", "cyan"))
        table.add_row(Text(f"{done} of {total} done", "dim"), Text(f"{seconds:.1f} s", "dim"))
        if not self._live.is_started:
            self._live.start()
        self._live.update(table, refresh=True)

    def clear(self) -> None:
        """Take it away, for a line of the answer to be printed in its place."""
        if self._live is not None and self._live.is_started:
            from rich.console import Group

            self._live.update(Group(), refresh=True)


def _live(stream: TextIO) -> Live:
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, force_terminal=True, highlight=False, emoji=False, markup=False)
    return Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
