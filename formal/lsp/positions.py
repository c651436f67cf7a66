"""Places of a text as editors count them: lines, and code units in a line.

In: a text with `\\n` newlines. Out: lines and columns from 0, offsets in characters. UTF-16 unless the editor has agreed to something else.
"""

from __future__ import annotations

from bisect import bisect_right

_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Places:
    """Converts the places of one text."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.codec, self.size = _UNITS[encoding]
        self.starts = [0, *(position + 1 for position, letter in enumerate(text) if letter == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self.starts, offset) - 1
        return line, self._units(self.text[self.starts[line] : offset])

    def offset(self, line: int, column: int) -> int:
        """Offset of a line and column; what is beyond the end of a line or of the text is that end."""
        if line >= len(self.starts):
            return len(self.text)
        start = self.starts[line]
        end = self.starts[line + 1] - 1 if line + 1 < len(self.starts) else len(self.text)
        units = 0
        for position in range(start, end):
            if units >= column:
                return position
            units += self._units(self.text[position])
        return end

    def _units(self, text: str) -> int:
        return len(text.encode(self.codec, "surrogatepass")) // self.size
