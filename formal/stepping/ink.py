"""Colour for lines on a terminal, or none.

In: text of any origin. Out: the same text with control characters made visible, and with escape sequences around it where colour is
welcome. Must not know what it paints.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_CODES: Final = MappingProxyType({"bold": "1", "dim": "2", "red": "1;31", "yellow": "33", "green": "32", "cyan": "36"})


def visible(text: str) -> str:
    """The text on one line, and without anything that a terminal obeys."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


@dataclass(frozen=True, slots=True)
class Ink:
    """How lines are to look. `width`: columns."""

    width: int = 80
    colour: bool = False

    def paint(self, text: str, style: str = "") -> str:
        """The text in a style (a key of _CODES)."""
        shown = visible(text)
        return f"\x1b[{_CODES[style]}m{shown}\x1b[0m" if self.colour and style else shown

    def wrapped(self, text: str, indent: int, style: str = "", hang: int = 2) -> list[str]:
        """Lines that fit the width, each behind `indent` columns, all but the first behind `hang` more."""
        room = max(20, self.width - indent)
        lines = textwrap.wrap(visible(text), room, subsequent_indent=" " * hang, break_on_hyphens=False)
        return [" " * indent + self.paint(line, style) for line in lines]

    def paragraphs(self, text: str, indent: int) -> list[str]:
        """Running text, of one paragraph or more."""
        return [line for paragraph in text.split("\n") for line in self.wrapped(paragraph, indent, hang=0)]

    def entries(self, label: str, entries: Iterable[tuple[str, bool]], column: int = 14) -> list[str]:
        """A labelled list: entries side by side as far as they fit; one that is set off has a star and colour."""
        lines, line, used = [], "", column
        for text, marked in entries:
            shown = f"*{text}" if marked else text
            if line and used + 2 + len(shown) > self.width:
                lines.append(line)
                line, used = "", column
            if line:
                line, used = line + "  ", used + 2
            line += self.paint(shown, "yellow" if marked else "")
            used += len(shown)
        lines.append(line)
        heads = [f"  {label}".ljust(column), *([" " * column] * (len(lines) - 1))]
        return [head + one for head, one in zip(heads, lines, strict=True)]
