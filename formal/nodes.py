"""What the nodes of trees are made of.

In: nodes, which are dataclasses. Out: the names of their fields, looked up once for each class, and all nodes below one. Must not know
which trees there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any


def names_of(node: object) -> tuple[str, ...]:
    """The names of a node's fields, in order. Raises TypeError for what is no dataclass."""
    kind: Any = type(node)
    return _names(kind)


def nodes_below(root: object, followed: Callable[[Any], Iterable[str]]) -> Iterator[Any]:
    """A node, or those in a tuple or a dict, and everything that they are made of, each once. `followed`: of a node, the names of the
    fields that are followed."""
    seen: set[int] = set()
    todo: list[Any] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, tuple):
            todo += node
        elif isinstance(node, dict):
            todo += node.values()
        elif is_dataclass(node) and id(node) not in seen:
            seen.add(id(node))
            yield node
            todo += [getattr(node, name) for name in followed(node)]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
