"""Many questions about mutants, each with a time limit, put to an executor.

In: a crew, questions. Out: answers as they come. Where a process starts from nothing, it takes several questions at a time, so that what
they share is made once; if one is late or breaks the process down, they are asked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from formal.executor.calls import Overdue, Within
from formal.executor.crew import Crew, Ending, gather
from formal.mutants.questions import Question, answered

_BATCH: Final = 8  # mutants for a process that starts from nothing


class Late(Exception):
    """A question was not answered in time."""


@dataclass(frozen=True, slots=True)
class Broke:
    """Instead of an answer: the process broke down, and how."""

    how: str


def answers(crew: Crew, question: Question, limit: float, note: Callable[[str], None]) -> Iterator[tuple[int, object]]:
    """Each number of the question and its answer; instead of one, a `Broke`, or a `Late` after `limit` seconds. `note` hears of processes
    that came or went."""
    size = _BATCH if crew.elsewhere else 1
    left = [question.numbers[at : at + size] for at in range(0, len(question.numbers), size)]
    while left:
        batches, left = left, []
        for ending in _endings(crew, question, batches, limit, note):
            numbers = batches[ending.number]
            if ending.error is not None and len(numbers) > 1:
                left += [(number,) for number in numbers]
            else:
                yield from zip(numbers, _told(ending, len(numbers)), strict=True)


def _endings(
    crew: Crew, question: Question, batches: Sequence[tuple[int, ...]], limit: float, note: Callable[[str], None]
) -> Iterator[Ending]:
    futures = [crew.executor.submit(Within(limit * len(numbers), answered), replace(question, numbers=numbers)) for numbers in batches]
    try:
        yield from gather(crew, futures, lambda _, text: note(text), lambda _working, _done: None)
    finally:
        for future in futures:
            future.cancel()  # who asked may have heard enough


def _told(ending: Ending, size: int) -> tuple[object, ...]:
    match ending.error:
        case None:
            return tuple(ending.value)
        case Overdue():
            return (Late(),) * size
        case error:
            return (Broke(f"{type(error).__name__}: {error}"),) * size
