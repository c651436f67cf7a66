"""Who moves next in a random walk.

In: the steps that are possible, thread by thread, and a source of random numbers. Out: one of them. A scheduler is made anew for each walk.

What finds races differs from model to model. A walk that is fair at each step hardly ever lets one thread get far ahead of the others; one
that stays with a thread does, and hardly ever lets two alternate. So `mixed`, the default, gives each walk another one of them in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from formal.interp import Outcome

Moves: TypeAlias = Mapping[int, Sequence[Outcome]]  # by thread, in order of the threads; never empty
MIXED: Final = "mixed"


class Scheduler(Protocol):
    """One walk's scheduler."""

    def pick(self, moves: Moves) -> Outcome:
        """The step that is taken."""


class Uniform:
    """Any thread that can move, each as likely as any other; then any outcome of its step."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def pick(self, moves: Moves) -> Outcome:
        """The step that is taken."""
        return self._random.choice(moves[self._random.choice(list(moves))])


class Sticky:
    """The same thread again, as long as it can move, but for preemptions: a step in `stretch` on average, drawn anew for each walk."""

    STRETCHES = (3, 10, 30, 100)

    def __init__(self, random: Random) -> None:
        self._random = random
        self._preempt = 1 / random.choice(self.STRETCHES)
        self._last = -1

    def pick(self, moves: Moves) -> Outcome:
        """The step that is taken."""
        if self._last not in moves or self._random.random() < self._preempt:
            self._last = self._random.choice([thread for thread in moves if thread != self._last] or [self._last])
        return self._random.choice(moves[self._last])


class Priorities:
    """The thread of the highest priority that can move. Priorities are drawn at random, and now and then the one that moves falls to the
    lowest: probabilistic concurrency testing, Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with probabilistic
    guarantees of finding bugs" (ASPLOS 2010). There, programs end, and there are d - 1 changes in k steps; here they mostly go round for
    ever, so that a change comes each so many steps on average, drawn anew for each walk."""

    GAPS = (10, 30, 100)

    def __init__(self, random: Random) -> None:
        self._random = random
        self._change = 1 / random.choice(self.GAPS)
        self._priorities: dict[int, float] = {}
        self._lowest = 0.0

    def pick(self, moves: Moves) -> Outcome:
        """The step that is taken."""
        for thread in moves:
            if thread not in self._priorities:
                self._priorities[thread] = self._random.random()
        first = max(moves, key=lambda thread: self._priorities[thread])
        if self._random.random() < self._change:
            self._lowest -= 1
            self._priorities[first] = self._lowest
            first = max(moves, key=lambda thread: self._priorities[thread])
        return self._random.choice(moves[first])


SCHEDULERS: Final[Mapping[str, Callable[[Random], Scheduler]]] = MappingProxyType(
    {"uniform": Uniform, "sticky": Sticky, "priorities": Priorities}
)


def scheduler(name: str, walk: int, random: Random) -> Scheduler:
    """The scheduler of that name (a key of SCHEDULERS, or MIXED) for the walk of that number."""
    names = tuple(SCHEDULERS)
    return SCHEDULERS[names[walk % len(names)] if name == MIXED else name](random)
