"""A half-typed text, made readable: what stops the parser is blanked out, so that the names around it can still be found.

In: a source. Out: its declarations, with places in the text as it is. What was blanked is not in them; diagnostics are made from the text
itself, never from this.
"""

from __future__ import annotations

from formal.diagnostics import Diagnostic, Source, Span
from formal.parser.reading import parse
from formal.syntax import Leaf, Node, Tree

_ROUNDS = 12
_KEPT = "{}\n"


def readable(source: Source) -> tuple[tuple[Node, ...], bool]:
    """The declarations, and whether that is the whole text: False where something had to be blanked out."""
    items, diagnostics, _ = parse(source)
    whole = not diagnostics
    text = source.text
    for _ in range(_ROUNDS):
        changed = _mended(text, diagnostics)
        if changed == text:
            break
        text = changed
        found, diagnostics, _ = parse(Source(source.path, text))
        if len(found) >= len(items):
            items = found
    return items if whole else tuple(_back(item, source) for item in items), whole


def _mended(text: str, diagnostics: tuple[Diagnostic, ...]) -> str:
    """Without the statement that the first mistake is in; where a declaration only has no end, with one."""
    span = next((diagnostic.span for diagnostic in diagnostics if diagnostic.span is not None), None)
    if span is None:
        return text
    start = span.start
    if start >= len(text) or text[start].isspace():
        return text[:start] + (";" if text[:start].rstrip()[-1:] not in (";", "{", "}", "") else "}") + text[start + 1 :]
    return _without(text, *_statement(text, start))


def _statement(text: str, position: int) -> tuple[int, int]:
    """The statement, or what there is of it, that a mistake at a place is in. A mistake in the first word of a line is one of the lines
    before, which have not ended."""
    line = text.rfind("\n", 0, position) + 1
    before = text[:line].rstrip()
    unfinished = not text[line:position].strip() and before and before[-1] not in ";{}"
    start = max(text.rfind(mark, 0, len(before) if unfinished else position) for mark in ";{}") + 1
    if unfinished:
        return start, len(before)
    ends = [end for end in (text.find("\n", position), text.find(";", position) + 1) if end > 0]
    return max(start, line), min(ends, default=len(text))


def _without(text: str, start: int, end: int) -> str:
    return text[:start] + "".join(c if c in _KEPT else " " for c in text[start:end]) + text[end:]


def _back(tree: Node, source: Source) -> Node:
    """The same, as places of the text as it is."""
    return Node(tree.kind, tuple(_tree_back(item, source) for item in tree.items), _span_back(tree.span, source))


def _tree_back(tree: Tree, source: Source) -> Tree:
    return Leaf(tree.kind, tree.text, _span_back(tree.span, source)) if isinstance(tree, Leaf) else _back(tree, source)


def _span_back(span: Span, source: Source) -> Span:
    return Span(source, min(span.start, len(source.text)), min(span.end, len(source.text)))
