"""A text without loss: its tokens and its comments, in order, each with what stood before it.

In: a text that can be parsed. Out: a list of `Item`. Nothing but blanks is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from formal.diagnostics import Source
from formal.parser.reading import tokens

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
TAB = 8  # columns, where a comment stands behind one
COMMENT = "COMMENT"


@dataclass(slots=True)
class Item:
    """A token or a comment. `kind`: the terminal, or COMMENT; `breaks`: line breaks before it; `column`: where it began, from 0."""

    kind: str
    text: str
    breaks: int
    column: int

    @property
    def is_comment(self) -> bool:
        """Whether it means nothing."""
        return self.kind == COMMENT

    @property
    def ends_line(self) -> bool:
        """Whether nothing can follow it on its line."""
        return self.is_comment and self.text.startswith("//")


def items_of(source: Source) -> list[Item]:
    """Everything in a text but blanks. Raises InternalError where it cannot be cut into tokens."""
    text = source.text
    found: list[Item] = []
    end = column = 0
    for kind, start, stop in _places(source):
        column = _behind(column, text[end:start])
        found.append(Item(kind, _rstripped(text[start:stop]), text.count("\n", end, start), column))
        column = _behind(column, text[start:stop])
        end = stop
    return found


def _behind(column: int, passed: str) -> int:
    """The column behind a piece of text that begins in a column. A tab goes to the next one that its width divides: what stands in the
    line before the last of those need not be looked at, so that a long line costs no more than many short ones."""
    _, broken, tail = passed.rpartition("\n")
    whole, rest = (0, 0) if broken else (column - column % TAB, column % TAB)
    return whole + len((" " * rest + tail).expandtabs(TAB))


def _places(source: Source) -> Iterator[tuple[str, int, int]]:
    end = 0
    for token in tokens(source):
        yield from _comments(source.text, end, token.span.start)
        yield token.kind, token.span.start, token.span.end
        end = token.span.end
    yield from _comments(source.text, end, len(source.text))


def _comments(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for comment in _COMMENT.finditer(text, start, end):
        yield COMMENT, comment.start(), comment.end()


def _rstripped(text: str) -> str:
    """Without blanks at the ends of lines: only comments have any, or go over several lines."""
    return "\n".join(line.rstrip() for line in text.split("\n"))
