"""Source texts, places in them, and what is said about a user's mistakes. Layer 0: imports nothing of the package but the codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from formal.codes import Code


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


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that helps ("declared here")."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake, or one warning. `span` is None where there is no text to point at; `file` then names what it is about."""

    code: Code
    message: str
    span: Span | None
    notes: tuple[Note, ...] = ()
    hint: str | None = None
    file: str | None = None

    @property
    def severity(self) -> str:
        """ "error" or "warning"."""
        return "error" if self.code.is_error else "warning"

    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        if self.span is None:
            return self.file or "formal"
        return f"{self.span.source.path}:{self.span.line}:{self.span.column}"

    def to_json(self) -> dict[str, Any]:
        """The same as data; lines and columns 1-based."""
        return {
            "code": self.code.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.span.source.path if self.span else self.file,
            "line": self.span.line if self.span else None,
            "column": self.span.column if self.span else None,
            "hint": self.hint,
            "notes": [{"message": n.text, "file": n.span.source.path, "line": n.span.line, "column": n.span.column} for n in self.notes],
        }

    @property
    def is_error(self) -> bool:
        """Whether the model is refused because of it."""
        return self.code.is_error

    def render(self) -> str:
        """As plain text: place, code and message, the source line with carets, notes, a hint."""
        lines = [f"{self.place()}: {self.severity}[{self.code}]: {self.message}"]
        if self.span is not None:
            lines += _excerpt(self.span)
        for note in self.notes:
            lines.append(f"  {note.span.source.path}:{note.span.line}:{note.span.column}: {note.text}")
            lines += _excerpt(note.span)
        if self.hint:
            lines.append(f"  = help: {self.hint}")
        return "\n".join(lines)


WIDTH = 72  # columns of source shown; a longer line is cut around the caret


def _excerpt(span: Span) -> list[str]:
    """The first line of the place, and carets under it. Control characters and tabs are shown as one space each, so that carets fit."""
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    first = span.start - start
    carets = max(1, min(span.end, end) - span.start)
    left = max(0, first - WIDTH // 2) if first + carets > WIDTH else 0
    shown = "".join(c if c.isprintable() else " " for c in text[start + left : min(end, start + left + WIDTH)])
    number = str(span.line)
    gutter = " " * len(number)
    mark = " " * (first - left) + "^" * max(1, min(carets, WIDTH - (first - left)))
    return [f"  {number} | {shown}".rstrip(), f"  {gutter} | {mark}"]
