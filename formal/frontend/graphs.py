"""Circles in graphs of names. In: who leads to whom. Out: the components. Nothing here recurses, whatever a model does."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def components(graph: Mapping[T, Iterable[T]]) -> list[list[T]]:
    """The strongly connected components (Tarjan), each before those that lead to it; a component without a cycle is a single node."""
    order: dict[T, int] = {}
    low: dict[T, int] = {}
    stack: list[T] = []
    waiting: set[T] = set()
    found: list[list[T]] = []
    for root in graph:
        if root in order:
            continue
        todo = [(root, iter(graph[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        waiting.add(root)
        while todo:
            node, rest = todo[-1]
            for other in rest:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    waiting.add(other)
                    todo.append((other, iter(graph[other])))
                    break
                if other in waiting:
                    low[node] = min(low[node], order[other])
            else:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[node])
                if low[node] == order[node]:
                    found.append(_popped(stack, node, waiting))
    return found


def _popped(stack: list[T], node: T, waiting: set[T]) -> list[T]:
    component: list[T] = []
    while not component or component[-1] != node:
        component.append(stack.pop())
    waiting.difference_update(component)
    return component
