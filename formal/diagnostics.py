"""Source texts, places in them, and what is said about a user's mistakes. Layer 0: imports nothing of the package."""

from __future__ import annotations

from dataclasses import dataclass


class InternalError(Exception):
    """Something that cannot be the user's doing: a bug of this tool, exit 4."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file's text, decoded, without a byte order mark, newlines as `\\n`. `path` is what messages show."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source: character offsets [start, end)."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """1-based line of the start."""
        return self.source.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """1-based column of the start, in characters; a tab counts as one."""
        return self.start - (self.source.text.rfind("\n", 0, self.start) + 1) + 1
