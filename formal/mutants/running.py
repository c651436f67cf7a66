"""Many questions, each with a time limit, in forked processes side by side.

In: how many questions there are, and a function that answers the n-th. Out: answers as they come. A process takes several questions, one
after the other, so that what they share is made once; who takes too long is ended, and the rest of its questions go on elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from formal.children import Child, Ended, Tell, wait

_BATCH: Final = 8  # questions for one process
_TICK: Final = 0.1  # seconds between looks at the clock


class Late(Exception):
    """A question was not answered in time."""


@dataclass(frozen=True, slots=True)
class Broke:
    """Instead of an answer: the process broke down, and how."""

    how: str


@dataclass(slots=True)
class _Worker:
    child: Child
    left: list[int]
    since: float


def answers(numbers: list[int], work: Callable[[int], Any], jobs: int, limit: float) -> Iterator[tuple[int, Any]]:
    """Each question and its answer; instead of one, a `Broke`, or a `Late` after `limit` seconds."""
    waiting = list(numbers)
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                size = max(1, min(_BATCH, len(waiting) // jobs))
                workers.append(_start(waiting[:size], work, workers))
                del waiting[:size]
            ready = set(map(id, wait([worker.child for worker in workers], _TICK)))
            for worker in list(workers):
                if id(worker.child) in ready:
                    yield from _hear(worker)
                elif worker.left and time.monotonic() - worker.since > limit:
                    worker.child.end()
                    yield worker.left.pop(0), Late()
                if worker.child.ended:
                    workers.remove(worker)
                    waiting = worker.left + waiting
    finally:
        for worker in workers:
            worker.child.end()


def _start(numbers: list[int], work: Callable[[int], Any], others: list[_Worker]) -> _Worker:
    def run(tell: Tell) -> None:
        for number in numbers:
            tell(work(number))

    return _Worker(Child(run, [other.child for other in others]), list(numbers), time.monotonic())


def _hear(worker: _Worker) -> Iterator[tuple[int, Any]]:
    for value in worker.child.receive():
        if isinstance(value, Ended):
            if value.crash is not None and worker.left:
                yield worker.left.pop(0), Broke(value.crash)
        else:
            worker.since = time.monotonic()
            yield worker.left.pop(0), value
