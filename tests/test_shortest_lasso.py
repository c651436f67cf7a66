"""The shortest lasso, against all of them."""

from __future__ import annotations

import random
from itertools import product

import pytest

from formal.engines import shortest_lasso
from formal.engines.shortest_lasso import Graph, Loop, Step, shorter


class Random:
    """A graph of few states and threads, with the states in which the goal is owed and how soon they are reached."""

    def __init__(self, seed: int) -> None:
        pick = random.Random(seed)
        self.states = range(pick.randint(1, 5))
        self.threads = range(pick.randint(1, 3))
        self.strong = frozenset(thread for thread in self.threads if pick.random() < 0.4)
        self.steps: dict[int, tuple[Step, ...]] = {}
        self.able: dict[int, frozenset[int]] = {}
        for state in self.states:
            able = [thread for thread in self.threads if pick.random() < 0.7]
            self.steps[state] = tuple((thread, pick.choice(self.states)) for thread in able if pick.random() < 0.9)
            self.able[state] = frozenset(able)
        self.reached = dict(sorted(((state, pick.randint(0, 4)) for state in self.states if pick.random() < 0.8), key=lambda one: one[1]))

    def graph(self) -> Graph:
        return Graph(self.steps.__getitem__, self.able.__getitem__, self.strong)

    def fair(self, entry: int, path: tuple[Step, ...]) -> bool:
        """By the definition: who is fair moves, or could not at some time; who is strongly fair moves, or never could."""
        visited = [entry, *(state for _, state in path)]
        moved = {thread for thread, _ in path}
        for thread in self.threads:
            could = [thread in self.able[state] for state in visited]
            if thread not in moved and (any(could) if thread in self.strong else all(could)):
                return False
        return True

    def loops(self, entry: int, length: int) -> bool:
        """Whether there is a fair loop of that many steps, by going through all."""
        if length == 0:
            return not self.able[entry]
        for choice in product(range(len(self.threads)), repeat=length):
            here, path = entry, list[Step]()
            for number in choice:
                if number >= len(self.steps[here]):
                    break
                path.append(self.steps[here][number])
                here = path[-1][1]
                if here not in self.reached:
                    break
            if len(path) == length and here == entry and here in self.reached and self.fair(entry, tuple(path)):
                return True
        return False

    def fewest(self, most: int) -> int | None:
        return next((n for n in range(most) for entry, stem in self.reached.items() if n >= stem and self.loops(entry, n - stem)), None)


def test_none_is_shorter() -> None:
    found = 0
    for seed in range(400):
        one = Random(seed)
        result = shorter(one.graph(), one.reached, 8)
        fewest = one.fewest(8)
        assert result.exact
        assert (None if result.loop is None else one.reached[result.loop.entry] + len(result.loop.path)) == fewest, seed
        if result.loop is not None:
            found += 1
            assert one.fair(result.loop.entry, result.loop.path)
            assert not result.loop.path or result.loop.path[-1][1] == result.loop.entry
    assert found > 100


def test_what_is_no_shorter_is_not_followed() -> None:
    steps = {0: ((0, 1),), 1: ((0, 0),)}
    graph = Graph(steps.__getitem__, lambda _: frozenset({0}), frozenset())
    assert shorter(graph, {0: 0, 1: 1}, 2) == shortest_lasso.Shorter(None, exact=True)
    assert shorter(graph, {0: 0, 1: 1}, 3) == shortest_lasso.Shorter(Loop(0, ((0, 1), (0, 0))), exact=True)


def test_a_bound_that_is_hit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortest_lasso, "MOST", 3)
    steps = {number: ((0, (number + 1) % 9),) for number in range(9)}
    graph = Graph(steps.__getitem__, lambda _: frozenset({0}), frozenset())
    assert shorter(graph, {number: number for number in range(9)}, 20) == shortest_lasso.Shorter(None, exact=False)
