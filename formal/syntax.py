"""The surface tree: what was written, before any name means anything. Layer 1; knows no parser.

A `Node`'s kind is the name of a rule or alias of grammar/formal.lark, a `Leaf`'s the name of a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from formal.diagnostics import Span


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A token that carries meaning: a name, a number, a string, an optional keyword."""

    kind: str
    text: str
    span: Span

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A rule with what was found for it; punctuation and fixed keywords are left out."""

    kind: str
    items: tuple[Tree, ...]
    span: Span

    def leaves(self, kind: str = "NAME") -> tuple[Leaf, ...]:
        """The direct leaves of one kind."""
        return tuple(item for item in self.items if isinstance(item, Leaf) and item.kind == kind)

    def nodes(self, kind: str | None = None) -> tuple[Node, ...]:
        """The direct nodes, of one kind or all."""
        return tuple(item for item in self.items if isinstance(item, Node) and kind in (None, item.kind))

    def node(self, kind: str) -> Node | None:
        """The first direct node of a kind."""
        return next(iter(self.nodes(kind)), None)

    def has(self, kind: str) -> bool:
        """Whether there is a direct leaf of a kind (an optional keyword)."""
        return any(isinstance(item, Leaf) and item.kind == kind for item in self.items)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in textual order."""
        yield self
        for item in self.nodes():
            yield from item.walk()


Tree: TypeAlias = Node | Leaf
