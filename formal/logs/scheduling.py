"""Coroutines that one thread schedules into an AioContext and another one, or the same, enters from a bottom half there.

In: `aio_co_schedule` and `aio_co_schedule_bh_cb`. Out: who handed over to whom, and how long that took. QEMU logs no other bottom halves.
"""

from __future__ import annotations

from collections import deque

from formal.logs.account import At, Handover


class Scheduling:
    """What is scheduled and has not run yet, and what has."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], deque[tuple[int, At]]] = {}
        self._done: dict[tuple[str, int, int], Handover] = {}
        self.late = 0  # ran, and were scheduled before the log began

    def schedule(self, thread: int, context: str, coroutine: str, at: At) -> None:
        """`aio_co_schedule`."""
        self._open.setdefault((context, coroutine), deque()).append((thread, at))

    def run(self, thread: int, context: str, coroutine: str, at: At) -> None:
        """`aio_co_schedule_bh_cb`: the bottom half is about to enter the coroutine."""
        waiting = self._open.get((context, coroutine))
        if not waiting:
            self.late += 1
            return
        by, since = waiting.popleft()
        if not waiting:
            del self._open[context, coroutine]
        done = self._done.setdefault((context, by, thread), Handover(context, by, thread))
        delay = max(0, at.time - since.time)
        if done.longest is None or delay > done.delay.longest:
            done.longest = (since, at)
        done.delay.add(delay)

    def handovers(self) -> list[Handover]:
        """Most frequent first."""
        return sorted(self._done.values(), key=lambda one: -one.delay.count)

    @property
    def open(self) -> int:
        """How many are scheduled and have not run."""
        return sum(len(waiting) for waiting in self._open.values())
