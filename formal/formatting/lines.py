"""From items with settled breaks to lines: indentation, blanks, the columns of trailing comments.

In: items. Out: the text. Four blanks a brace, four more where a statement or declaration goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from formal.formatting.items import Item
from formal.formatting.spacing import blanks

_STEP = 4


@dataclass(slots=True)
class _Line:
    """`code` is indented; `comment` trails behind it, from `column` on in the author's text. `gap`: a blank line comes before."""

    code: str
    gap: bool
    comment: str | None = None
    column: int = 0


def written(items: list[Item]) -> str:
    """The whole text; empty for no items."""
    lines: list[_Line] = []
    nesting, brackets = _Nesting(), _Brackets()
    apart = blanks(items)
    for position, item in enumerate(items):
        if position == 0 or item.breaks:
            indent = brackets.aligned(item) or nesting.indent(item)
            lines.append(_Line(" " * indent + _moved(item, indent), item.breaks > 1))
            column = indent
        elif item.is_comment and _is_last(items, position):
            lines[-1].comment, lines[-1].column = item.text, item.column
            continue
        else:
            lines[-1].code += " " * apart[position]
            column = _width(lines[-1].code)
            lines[-1].code += item.text
        nesting.pass_by(item)
        brackets.pass_by(item, column)
    _align(lines)
    return "".join(_shown(line) for line in lines)


def _is_last(items: list[Item], position: int) -> bool:
    return position + 1 == len(items) or items[position + 1].breaks > 0


def _shown(line: _Line) -> str:
    behind = "" if line.comment is None else " " * (line.column - _width(line.code)) + line.comment
    return ("\n" if line.gap else "") + line.code + behind + "\n"


def _width(code: str) -> int:
    return len(code) - (code.rfind("\n") + 1)


def _align(lines: list[_Line]) -> None:
    """Comments that stood in one column, on lines one below the other, stay in one: the author's, or where the longest line leaves room."""
    group: list[_Line] = []
    for line in [*lines, _Line("", True)]:
        if group and (line.comment is None or line.gap or line.column != group[-1].column):
            column = max(group[0].column, *(_width(member.code) + 1 for member in group))
            for member in group:
                member.column = column
            group = []
        if line.comment is not None:
            group.append(line)


def _moved(item: Item, indent: int) -> str:
    """A comment of several lines moves as a whole; anything else is one line."""
    by = indent - item.column
    first, *rest = item.text.split("\n")
    if not by or not rest:
        return item.text
    moved = [" " * max(0, len(line.expandtabs()) - len(line.lstrip().expandtabs()) + by) + line.lstrip() for line in rest]
    return "\n".join([first, *(line.rstrip() for line in moved)])


class _Brackets:
    """Open brackets: where what is in them begins, in the author's text and in the new one. Lines that the author began there stay."""

    def __init__(self) -> None:
        self.open: list[tuple[int, int] | None] = []

    def aligned(self, item: Item) -> int | None:
        """The new column of a line that begins below what the innermost bracket holds; None for any other line."""
        held = self.open[-1] if self.open else None
        return held[1] if held is not None and held[0] == item.column else None

    def pass_by(self, item: Item, column: int) -> None:
        """Take note of an item that now stands in a column."""
        if self.open and self.open[-1] is None:
            self.open[-1] = (item.column, column)
        if item.text in ("(", "["):
            self.open.append(None)
        elif item.text in (")", "]"):
            self.open.pop()


class _Nesting:
    """How deep the next item stands, were it the first of its line."""

    def __init__(self) -> None:
        self.open: list[str] = []  # of each open brace: "block", "enum" or "values"
        self.first: Item | None = None  # token of the statement or declaration that the next one belongs to
        self.last: Item | None = None

    def indent(self, item: Item) -> int:
        """Columns of indentation."""
        closing = item.kind == "RBRACE"
        return _STEP * (len(self.open) - closing + (self.first is not None and not closing))

    def pass_by(self, item: Item) -> None:
        """Take note of an item."""
        if item.is_comment:
            return
        if self._ends(item):
            self.first = None
        elif self.first is None:
            self.first = item
        self.last = item

    def _ends(self, item: Item) -> bool:
        """Whether something new begins behind a token."""
        match item.text:
            case "{":
                self.open.append(self._kind())
                return True
            case "}":
                return self.open.pop() != "values"
            case ";":
                return True
            case ",":
                return self.open[-1:] in (["enum"], ["values"])
            case ":":  # behind a label; behind any other name more of the same statement follows
                return bool(self.open) and self.last is self.first and self.last is not None and self.last.kind == "NAME"
            case _:
                return False

    def _kind(self) -> str:
        if self.last is not None and self.last.text == "=":
            return "values"
        return "enum" if self.first is not None and self.first.kind == "ENUM" else "block"
