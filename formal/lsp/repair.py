"""A half-typed text, made readable: what stops the parser is blanked out, so that the names around it can still be found.

In: a source. Out: its declarations, with places in the text as it is. What was blanked is not in them; diagnostics are made from the text
itself, never from this.
"""

from __future__ import annotations

from formal.diagnostics import Diagnostic, Source
from formal.parser import parse
from formal.syntax import Node

_ROUNDS = 6
_KEPT = "{}\n"


def readable(source: Source) -> tuple[tuple[Node, ...], bool]:
    """The declarations, and whether these are all there are: False where even a text with blanked lines has a mistake."""
    items, diagnostics, _ = parse(source)
    text = source.text
    rounds = 0
    while diagnostics and rounds < _ROUNDS:
        changed = _blanked(text, diagnostics)
        if changed == text:
            break
        text = changed
        found, diagnostics, _ = parse(Source(source.path, text))
        items = found if len(found) >= len(items) else items
        rounds += 1
    return items, not diagnostics


def _blanked(text: str, diagnostics: tuple[Diagnostic, ...]) -> str:
    """Without the statements that the diagnostics point at; a brace that is missing at the end is put there."""
    for diagnostic in diagnostics:
        if diagnostic.span is None:
            continue
        start = diagnostic.span.start
        if start >= len(text.rstrip()):
            return _closed(text)
        text = _without(text, *_statement(text, start))
    return text


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


def _closed(text: str) -> str:
    """With the last statement finished, or else another brace closed."""
    return text + (";" if text.rstrip()[-1:] not in (";", "{", "}", "") else "}")
