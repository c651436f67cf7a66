"""The one layout of model files. In: a text. Out: the same text, laid out, or what is wrong with its syntax.

What the author chose stays: where lines break and blank lines stand, which blocks are on one line, in which column trailing comments begin.
Indentation, blanks inside of lines and at their ends, where braces stand, and the end of the file are the layout's.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.diagnostics import Diagnostic, InternalError, Source
from formal.formatting.breaks import settle_breaks
from formal.formatting.items import Item, items_of
from formal.formatting.lines import written
from formal.parser.reading import parse
from formal.syntax import Leaf, Node, Tree


@dataclass(frozen=True, slots=True)
class Formatted:
    """`text` is None when there are diagnostics, which then are the parser's."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...]


def formatted(source: Source) -> Formatted:
    """Lay out one text. Raises InternalError rather than give a text that means something else, or has lost a comment."""
    before, diagnostics, _ = parse(source)
    if diagnostics:
        return Formatted(None, diagnostics)
    items = items_of(source)
    text = written(settle_breaks(items))
    _check(source, before, items, text)
    return Formatted(text, ())


def _check(source: Source, before: tuple[Node, ...], items: list[Item], text: str) -> None:
    laid_out = Source(source.path, text)
    after, diagnostics, _ = parse(laid_out)
    if diagnostics or not _same(before, after):
        raise InternalError(f"{source.path}: the layout would change what the text means; nothing is written")
    if _comments(items) != _comments(items_of(laid_out)):
        raise InternalError(f"{source.path}: the layout would change a comment; nothing is written")


def _comments(items: list[Item]) -> list[str]:
    return [" ".join(item.text.split()) for item in items if item.is_comment]


def _same(one: tuple[Tree, ...], other: tuple[Tree, ...]) -> bool:
    """Whether two trees are the same, but for where they stand."""
    if len(one) != len(other):
        return False
    for left, right in zip(one, other, strict=True):
        match left, right:
            case Leaf(), Leaf():
                if (left.kind, left.text) != (right.kind, right.text):
                    return False
            case Node(), Node():
                if left.kind != right.kind or not _same(left.items, right.items):
                    return False
            case _:
                return False
    return True
