"""What a search in which few members are told knows of its states: who may do what, and where that leads.

Out: `Known`, of one state, which a search fills and who looks for deadlocks reads. See docs/decisions/016-company.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from formal.engines.links import Link
from formal.interp import Kind, State, Turn

Role: TypeAlias = "int | tuple[Kind, int]"  # a thread where the told elements are first; or that of a kind, by its family


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a step leads that looks at nobody else, whoever else there is."""

    told: State
    turns: tuple[Turn, ...]
    links: tuple[Link, ...]


@dataclass(slots=True)
class Part:
    """What is known of the steps of one role: where they lead (None: they have to be looked at again whenever there are more kinds), and
    whether it may have to wait, and may move."""

    edges: list[Edge] | None
    waits: bool = False
    moves: bool = False


@dataclass(slots=True)
class Known:
    """What is known of one state. `done`: so many of its kinds were looked at."""

    kinds: dict[Kind, None]
    done: int = 0
    parts: dict[Role, Part] = field(default_factory=dict)
