"""Strongly connected components of a graph, without recursion.

In: nodes and their successors. Out: the components, each before those that lead to it. Knows nothing of what the nodes are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def components(nodes: Iterable[int], successors: Callable[[int], Iterable[int]]) -> Iterator[list[int]]:
    """Tarjan's algorithm: every node that can be reached from `nodes` comes in one component."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []  # nodes whose component is not complete
    on_path: set[int] = set()
    for root in nodes:
        if root in order:
            continue
        work = [(root, iter(successors(root)))]
        while work:
            node, ahead = work[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                path.append(node)
                on_path.add(node)
            for other in ahead:
                if other not in order:
                    work.append((other, iter(successors(other))))
                    break
                if other in on_path:
                    low[node] = min(low[node], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    yield _cut(path, on_path, node)


def _cut(path: list[int], on_path: set[int], node: int) -> list[int]:
    """The component that starts at `node`, taken off the path."""
    start = len(path) - 1
    while path[start] != node:
        start -= 1
    component = path[start:]
    del path[start:]
    on_path.difference_update(component)
    return component
