"""What the nodes of trees are made of, by name.

In: nodes, which are dataclasses. Out: the names of their fields, looked up once for each class. Must not know which trees there are.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any


def names_of(node: object) -> tuple[str, ...]:
    """The names of a node's fields, in order. Raises TypeError for what is no dataclass."""
    kind: Any = type(node)
    return _names(kind)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
