"""Who brings a goal nearer, state by state: ranks and helpful threads, so that no fair execution can miss the goal for ever.

In: the graph of the states in which a goal is owed; whatever leads out of it is the goal. Out: by state, its levels; and the states for
which there are none, from which some fair execution stays in the graph for ever.

The rule is that of Manna and Pnueli for a response under justice (well-founded, with helpful directions), found from the goal backwards: a
*region* is the largest set of states from which every step leads to the region, to one ranked before or to the goal, in which one thread,
its helper, can always move, and all of whose helper's steps leave it. It gets the next rank. Under strong fairness the helper needs to be
able only again and again: the states of the region where it is not are ranked among themselves by the same rule, towards those where it is,
and so have another level.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Final, TypeAlias

Step: TypeAlias = tuple[int, int]  # a thread, and the state after its step
Levels: TypeAlias = tuple[tuple[int, int], ...]  # a rank and a helper, outermost first
Tell: TypeAlias = Callable[[], None]  # called now and then; may raise

_TELL_EVERY: Final = 64  # regions


class Graph:
    """`steps`: those of each state, also out of the graph; `able`: the threads that can move."""

    def __init__(self, steps: Mapping[int, Sequence[Step]], able: Mapping[int, Set[int]]) -> None:
        self.steps = steps
        self.able = able
        self.before: dict[int, list[Step]] = {state: [] for state in steps}  # who came from where
        for state, some in steps.items():
            for thread, after in some:
                if after in self.before:
                    self.before[after].append((thread, state))


def rank(graph: Graph, threads: Sequence[int], strong: Set[int], tell: Tell = lambda: None) -> Mapping[int, Levels]:
    """The levels of as many states as have some, in a fixed order. `strong`: the strongly fair ones of the threads."""
    return _Ranking(graph, list(graph.steps), threads, strong, tell).run()


class _Ranking:
    """Of the states of a part of the graph; all others are where they should get to."""

    def __init__(self, graph: Graph, inside: Iterable[int], threads: Sequence[int], strong: Set[int], tell: Tell) -> None:
        self._graph, self._threads, self._strong, self._tell = graph, threads, strong, tell
        self.left = dict.fromkeys(inside)  # those without a rank, in order
        self._levels: dict[int, Levels] = {}
        self._ranks = 0
        self._staying: dict[Step, int] = {}  # by thread and state: its steps that lead to no better place yet; none are missing
        for state in self.left:
            for thread, after in graph.steps[state]:
                if after in self.left:
                    self._staying[thread, state] = self._staying.get((thread, state), 0) + 1
        self._touched = list(self.left)  # states for which something has become better, ever
        self._seen = dict.fromkeys(threads, 0)  # how many of them each thread has been tried with

    def run(self) -> Mapping[int, Levels]:
        while self.left and (self._weakly() or self._strongly()):
            pass
        return self._levels

    def _weakly(self) -> bool:
        """Regions with a helper that can always move: one after the other with the same helper, all the way, and the same helper first
        each time. That gives fewer changes of helpers, and shorter rankings, than taking turns."""
        return any(self._all_by(thread) for thread in self._threads)

    def _all_by(self, thread: int) -> bool:
        found = False
        while self._seen[thread] < len(self._touched):
            region = self._region(thread)
            if region:
                self._take(region, thread, {})
                found = True
        return found

    def _region(self, thread: int) -> set[int]:
        """The largest one. A state can be in it only if something has become better where its steps lead to: else it would have been in
        the last one."""
        graph = self._graph
        fresh = self._touched[self._seen[thread] :]
        self._seen[thread] = len(self._touched)
        region: set[int] = set()
        todo = fresh
        while todo:
            state = todo.pop()
            if state not in region and self._ready(thread, state):
                region.add(state)
                todo += [before for _, before in graph.before[state]]
        return self._closed(region)

    def _ready(self, thread: int, state: int) -> bool:
        return state in self.left and thread in self._graph.able[state] and (thread, state) not in self._staying

    def _closed(self, region: set[int]) -> set[int]:
        """Without the states that can be left for one that has no rank and isn't in it."""
        steps, left = self._graph.steps, self.left
        wrong = [state for state in region if any(after in left and after not in region for _, after in steps[state])]
        return self._without(region, wrong)

    def _without(self, region: set[int], wrong: list[int]) -> set[int]:
        """Without these, and without those from which a step leads to them, and so on."""
        region.difference_update(wrong)
        todo = deque(wrong)
        while todo:
            for _, before in self._graph.before[todo.popleft()]:
                if before in region:
                    region.discard(before)
                    todo.append(before)
        return region

    def _strongly(self) -> bool:
        """One region with a strongly fair helper that can move in some of its states only."""
        for thread in self._threads:
            if thread not in self._strong:
                continue
            region = self._closed({state for state in self.left if (thread, state) not in self._staying})
            if not any(thread in self._graph.able[state] for state in region):
                continue
            waiting = [state for state in self.left if state in region and thread not in self._graph.able[state]]
            inner = _Ranking(self._graph, waiting, self._threads, self._strong, self._tell)
            levels = inner.run()
            self._without(region, list(inner.left))
            if region:
                self._take(region, thread, levels)
                return True
        return False

    def _take(self, region: set[int], thread: int, inner: Mapping[int, Levels]) -> None:
        """Give them the next rank."""
        if self._ranks % _TELL_EVERY == 0:
            self._tell()
        for state in region:
            self._levels[state] = ((self._ranks, thread), *inner.get(state, ()))
            del self.left[state]
        self._ranks += 1
        for state in sorted(region):
            for mover, before in self._graph.before[state]:
                if before in self.left:
                    self._touched.append(before)
                    count = self._staying[mover, before] - 1
                    if count:
                        self._staying[mover, before] = count
                    else:
                        del self._staying[mover, before]
