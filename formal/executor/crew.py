"""Who carries out calls: `--executor` as an object, and the waiting for many calls at once.

In: calls with names. Out: how each of them ended, as it comes, and what there is to tell meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from formal.executor.calls import DASK, PROCESSES, Lost, check
from formal.executor.processes import Processes

if TYPE_CHECKING:
    from formal.executor.cluster import Cluster

_TICK: Final = 0.2  # seconds between two looks

Tell: TypeAlias = Callable[[str], None]
Watch: TypeAlias = Callable[[Sequence[int], int], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How the number-th call ended: its value, or what went wrong."""

    number: int
    value: Any
    error: BaseException | None


@dataclass(slots=True)
class Crew:
    """`elsewhere`: those that do it may have no files of ours."""

    executor: Processes | Cluster
    elsewhere: bool
    news: Callable[[], tuple[tuple[int | None, str], ...]]


@contextmanager
def crew(choice: str, jobs: int) -> Iterator[Crew]:
    """The executor of that name. Left in whatever way, nothing of it goes on. Raises ExecutorError."""
    check(choice)
    again: list[tuple[int | None, str]] = []
    if choice == PROCESSES:
        processes = Processes(jobs, lambda number, why: again.append((number, why)))
        made = Crew(processes, False, lambda: tuple(again.pop(0) for _ in range(len(again))))
    else:
        from formal.executor.cluster import Cluster

        cluster = Cluster(choice.removeprefix(DASK))
        made = Crew(cluster, True, lambda: tuple((None, text) for text in cluster.news()))
    try:
        yield made
    finally:
        made.executor.stop()


def gather(crew: Crew, futures: Sequence[Future[Any]], tell: Callable[[int | None, str], None], watch: Watch) -> Iterator[Ending]:
    """The endings as they come. `tell`: a call's number, if it is about one, and what happened; `watch`: every now and then, the numbers of
    those at work, and how many have ended."""
    numbers = {future: number for number, future in enumerate(futures)}
    waiting = set(futures)
    while waiting:
        ended, waiting = wait(waiting, _TICK, FIRST_COMPLETED)
        for future in sorted(ended, key=numbers.__getitem__):
            yield _ending(numbers[future], future)
        try:
            for number, text in crew.news():
                tell(number, text)
        except Lost as error:
            yield from (Ending(numbers[future], None, error) for future in sorted(waiting, key=numbers.__getitem__))
            return
        watch(sorted(numbers[future] for future in waiting if future.running()), len(futures) - len(waiting))


def _ending(number: int, future: Future[Any]) -> Ending:
    try:
        error = future.exception()
    except CancelledError as cancelled:
        return Ending(number, None, cancelled)
    return Ending(number, None if error is not None else future.result(), error)
