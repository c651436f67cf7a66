"""What a search in which few members are told knows of its states: who may do what, and where that leads.

Out: `Known`, of one state, which a search fills and who looks for deadlocks reads. See docs/decisions/016-company.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from formal.engines.links import Link
from formal.interp import Change, Kind, State, Turn

Case: TypeAlias = tuple[object, ...]  # who is there, as far as a step can tell; how semaphores stand; who is next in a `for`
Role: TypeAlias = "int | tuple[Kind, int]"  # a thread where the told elements are first; or that of a kind, by its family


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a step leads that looks at nobody else, whoever else there is."""

    told: State
    turns: tuple[Turn, ...]
    links: tuple[Link, ...]


@dataclass(slots=True)
class Way:
    """What is known of a role's step where certain others are there, whoever else is. `kinds`: those with whom it was taken; `edges`: where
    it leads; `picked`: those of the others whom it is about; `taken`: what it changes, as far as no other way does; `orders`: whether it
    comes to another element of a `for`; `begins`: whether one begins."""

    kinds: set[Kind]
    edges: list[Edge] = field(default_factory=list)
    picked: set[Kind] = field(default_factory=set)
    taken: set[Change] = field(default_factory=set)
    orders: bool = False
    begins: bool = False


@dataclass(slots=True)
class Part:
    """What is known of the steps of one role. `ways`: by who is there, as far as it makes a difference; `more`: whether more kinds may make
    more of them; whether it may have to wait, and may move."""

    ways: dict[Case, Way] = field(default_factory=dict)
    more: bool = False
    waits: bool = False
    moves: bool = False


@dataclass(slots=True)
class Known:
    """What is known of one state. `done`: so many of its kinds were looked at."""

    kinds: dict[Kind, None]
    done: int = 0
    parts: dict[Role, Part] = field(default_factory=dict)
