"""What holds where, found beside the search by the engine `lemmas`, in a process of its own, which a race can listen to.

In: a program and the options of the search. Out: an `Outline`, which readers see with a proof; and a second opinion: what follows from
the outline must not be violated. It must not know how either is found.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final

from formal.children import Child, wait
from formal.engines import LEMMAS, load_engine
from formal.engines.protocol import Options, Outline
from formal.program import Program

_PATIENCE: Final = 3.0  # seconds beyond twice the search's, for an outline that is not there yet; it is no part of the verdict


class Outlining:
    """At work from the start, in `child`; ended when left. No search waits for it: it cannot slow one down by more than its share of a
    processor."""

    def __init__(self, program: Program, options: Options) -> None:
        self.child = Child(lambda tell: load_engine(LEMMAS)(program, options, tell))
        self._outline: Outline | None = None
        self._begun = time.monotonic()

    def __enter__(self) -> Outlining:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.child.end()

    def result(self, deadline: float | None = None) -> Outline | None:
        """The outline, None if it takes too long or its engine breaks down: nothing rests on it. `deadline`: of time.monotonic()."""
        now = time.monotonic()
        end = min(now + (now - self._begun) + _PATIENCE, deadline or float("inf"))
        while self._outline is None and not self.child.ended and time.monotonic() < end:
            self._hear(max(0.0, end - time.monotonic()))
        return self._outline

    def _hear(self, seconds: float) -> None:
        if wait([self.child], seconds):
            for event in self.child.receive():
                if isinstance(event, Outline):
                    self._outline = event
