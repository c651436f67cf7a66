"""What is drawn: boxes of lines, and arrows between them.

In: nothing (data). Out: `Picture`s. Must not know what they are drawn from, nor how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# "plain" boxes hold statements; "test" ones branch; "mark" ones are where control begins, ends or meets; the others are objects of a model
Shape: TypeAlias = Literal["plain", "test", "mark", "thread", "bh", "lock", "context", "semaphore", "event", "condition"]
Tone: TypeAlias = Literal["plain", "back", "order", "asks", "helps"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a box. `depth`: how far it is indented; `held`: the locks that are held there; `bracket`: of the last of them, whether it
    is taken or given back here; `target`: the picture that the line leads to."""

    text: str
    depth: int = 0
    held: tuple[str, ...] = ()
    bracket: Literal["", "open", "close"] = ""
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One box."""

    id: str
    shape: Shape
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow. `tone`: "back" closes a loop, "order" is a lock taken while another is held, who "asks" waits, who "helps" ends a wait."""

    source: str
    target: str
    label: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Picture:
    """`id`: what lines of others lead to; `note`: where it is from."""

    id: str
    title: str
    note: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
