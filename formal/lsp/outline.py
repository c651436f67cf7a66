"""What a file declares, as a tree: its declarations, and in each the members, assertions and labels.

In: a parsed file. Out: entries, in textual order.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.diagnostics import Span
from formal.frontend.occurrences import Occurrence
from formal.lsp.describing import kind_of
from formal.lsp.project import Parsed
from formal.syntax import Node


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind` is that of the node; `whole` is the declaration, `span` its name."""

    name: str
    kind: str
    detail: str
    whole: Span
    span: Span
    children: tuple[Entry, ...] = ()


_INNER = ("enum", "labelled", "assert_")


def outline(parsed: Parsed) -> tuple[Entry, ...]:
    """Of one file. The model's own name comes first."""
    declared = [one for one in parsed.occurrences if one.declared is not None and one.symbol.kind != "local"]
    return tuple(entry for item in parsed.items for entry in _of(item, declared))


def _of(item: Node, declared: list[Occurrence]) -> tuple[Entry, ...]:
    if item.kind == "protocol":
        leaf = item.leaves()[0]
        return (Entry(str(leaf), "protocol", "model", item.span, leaf.span),)
    inside = [one for one in declared if item.span.start <= one.span.start < item.span.end]
    if not inside:
        return ()
    first, *rest = inside
    children = tuple(_entry(one) for one in rest if one.declared is not None and one.declared.kind in _INNER)
    return (_entry(first, children),)


def _entry(one: Occurrence, children: tuple[Entry, ...] = ()) -> Entry:
    node = one.declared
    assert node is not None
    kind = "member" if node.kind == "enum" and str(node.leaves()[0]) != one.symbol.name else node.kind
    whole = one.span if kind == "member" else node.span
    return Entry(one.symbol.name.rpartition(".")[2], kind, kind_of(one), whole, one.span, children)
