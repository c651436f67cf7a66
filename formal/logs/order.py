"""The order in which locks were taken, and circles in it.

In: which lock was asked for under which. Out: edges with examples, and cycles. A circle is a deadlock that may happen some day if its edges
come from different threads, and no lock is held at two of them (a gate lock). Not told are circles of more than `LONGEST` locks.

Source: Havelund, "Using runtime analysis to guide model checking of Java programs" (2000), the Goodlock algorithm; Bensalem and Havelund,
"Dynamic deadlock analysis of multi-threaded programs" (2005), threads and gate locks of cycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from formal.logs.account import Cycle, Edge, Nesting, Who

EXAMPLES: Final = 16  # of one edge: different threads, different gates
LONGEST: Final = 6  # locks in a circle
MOST: Final = 200  # circles told
EFFORT: Final = 200_000  # steps of the search for them


class Order:
    """The edges so far."""

    def __init__(self) -> None:
        self._examples: dict[tuple[str, str], dict[tuple[Who, frozenset[str]], Nesting]] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._more: dict[tuple[str, str], int] = {}
        self.cut = False

    def add(self, nesting: Nesting) -> None:
        """One more."""
        edge = (nesting.held, nesting.asked)
        self._counts[edge] = self._counts.get(edge, 0) + 1
        examples = self._examples.setdefault(edge, {})
        context = (nesting.who, nesting.gates)
        if context not in examples:
            if len(examples) < EXAMPLES:
                examples[context] = nesting
            else:
                self._more[edge] = self._more.get(edge, 0) + 1

    def edges(self) -> list[Edge]:
        """In the order in which they were first seen."""
        return [
            Edge(*edge, self._counts[edge], tuple(examples.values()), self._more.get(edge, 0)) for edge, examples in self._examples.items()
        ]

    def cycles(self) -> list[Cycle]:
        """Each circle once, the dangerous ones first. Sets `cut` if there are more than can be told."""
        found: list[Cycle] = []
        for locks in self._circles():
            if len(found) == MOST:
                self.cut = True
                break
            found.append(self._judged(locks))
        return sorted(found, key=lambda one: (("threads", "guarded", "one thread").index(one.kind), len(one.locks), one.edges[0].at.line))

    def _circles(self) -> Iterator[tuple[str, ...]]:
        """Simple circles, each from its lock that was seen first, by depth-first search."""
        edges = _in_circles(list(self._examples))
        rank: dict[str, int] = {}
        following: dict[str, list[str]] = {}
        for held, asked in edges:
            following.setdefault(held, []).append(asked)
            for lock in (held, asked):
                rank.setdefault(lock, len(rank))
        effort = EFFORT
        for start in rank:
            back = _reaching(start, edges)
            paths: list[tuple[str, ...]] = [(start,)]
            while paths:
                path = paths.pop()
                effort -= 1
                if effort < 0:
                    self.cut = True
                    return
                for lock in following.get(path[-1], ()):
                    if lock == start:
                        yield path
                    elif lock in back and rank[lock] > rank[start] and lock not in path:
                        if len(path) < LONGEST:
                            paths.append((*path, lock))
                        else:
                            self.cut = True

    def _judged(self, locks: tuple[str, ...]) -> Cycle:
        """The circle with the best examples: of different threads, and without a gate, if there are such."""
        wanted = [list(self._examples[edge].values()) for edge in zip(locks, (*locks[1:], locks[0]), strict=True)]
        apart = _chosen(wanted, (), gates=False)
        free = _chosen(wanted, (), gates=True)
        if free is not None:
            return Cycle(locks, "threads", free, frozenset())
        if apart is not None:
            shared = frozenset(lock for one in apart for lock in one.gates if sum(lock in other.gates for other in apart) > 1)
            return Cycle(locks, "guarded", apart, shared)
        return Cycle(locks, "one thread", tuple(examples[0] for examples in wanted), frozenset())


def _in_circles(edges: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the edges that lead from or to a dead end, again and again: most logs have no others."""
    while True:
        starts, ends = {held for held, _ in edges}, {asked for _, asked in edges}
        left = [(held, asked) for held, asked in edges if held in ends and asked in starts]
        if len(left) == len(edges):
            return left
        edges = left


def _reaching(target: str, edges: list[tuple[str, str]]) -> set[str]:
    """The locks from which edges lead to this one."""
    before: dict[str, list[str]] = {}
    for held, asked in edges:
        before.setdefault(asked, []).append(held)
    found, todo = set[str](), [target]
    while todo:
        for lock in before.get(todo.pop(), ()):
            if lock not in found:
                found.add(lock)
                todo.append(lock)
    return found


def _chosen(wanted: list[list[Nesting]], so_far: tuple[Nesting, ...], *, gates: bool) -> tuple[Nesting, ...] | None:
    """An example for each edge, all of different threads (`gates`: and nothing else held in common); None if there is no such choice."""
    if len(so_far) == len(wanted):
        return so_far
    for example in wanted[len(so_far)]:
        if any(example.who == other.who or (gates and example.gates & other.gates) for other in so_far):
            continue
        found = _chosen(wanted, (*so_far, example), gates=gates)
        if found is not None:
            return found
    return None
