"""The lines of a QEMU log, as the `log` trace backend writes them with `-msg timestamp=on`.

In: lines as bytes. Out: `Event`s; `BadLog`, with a diagnostic, for a log that cannot be read as one: what is missing from a log cannot be
told from what did not happen, so nothing is guessed. The format is `TID@SECONDS.MICROSECONDS:EVENT ARGUMENTS`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from formal.codes import Code
from formal.conform.mapping import Pattern
from formal.diagnostics import Diagnostic, Source, Span

_LINE: Final = re.compile(r"(\d+)@(\d+\.\d{1,9}):(\w+) ?(.*)")
_HEAD: Final = re.compile(r"\d+@\d{6,}\.\d{6}:[a-z]\w*")  # of a line inside of another one
_WORD: Final = re.compile(r"[a-z_]\w*")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Event(NamedTuple):
    """One line. `number` is 1-based; `thread` is the operating system's id of the thread that wrote it; `arguments` has no newline;
    `stamp`: when, in seconds, as it is written."""

    number: int
    thread: int
    name: str
    arguments: str
    stamp: str


class BadLog(Exception):
    """The log, or its mapping, cannot be used."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Reader:
    """Reads one log. `lines`: how many there were; `comments`: how many of them began with `#` or were blank; `others`: how many the
    mapping knows to be no events."""

    def __init__(self, path: str, names: Collection[str], others: tuple[Pattern, ...]) -> None:
        self._path = path
        self._names = frozenset(names)
        self._others = others
        self.lines = 0
        self.comments = 0
        self.others = 0

    def events(self, lines: Iterable[bytes]) -> Iterator[Event]:
        """The events in order. Raises BadLog at the first line that is none."""
        raw = b"\n"
        for raw in lines:
            self.lines += 1
            text = self._decoded(raw)
            if not text or text[0] == "#":
                self.comments += 1
                continue
            found = _LINE.fullmatch(text)
            if found is None:
                self._not_an_event(text)
                continue
            if text.find("@", found.end(1) + 1) > 0 and (inner := _HEAD.search(text, found.start(3))) is not None:
                self._interleaved(text, inner.start())
            yield Event(self.lines, int(found[1]), found[3], found[4], found[2])
        if not raw.endswith(b"\n"):
            message = "the last line has no end: the log was cut off while it was written, and what the line would have said is not known"
            raise self._bad(
                Code.LOG_TRUNCATED, message, self._decoded(raw), 0, "take that line away if it does not matter: sed -i '$d' LOG"
            )
        if self.lines == self.comments:
            raise BadLog(Diagnostic(Code.LOG_EMPTY, "the log is empty: there is no event in it", None, file=self._path))

    def _decoded(self, raw: bytes) -> str:
        try:
            text = raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            shown = raw.decode("utf-8", "replace").rstrip("\n")
            raise self._bad(Code.LOG_BINARY, "this is not text", shown, min(error.start, len(shown))) from error
        if not text.isprintable() and (found := _CONTROL.search(text)) is not None:
            raise self._bad(Code.LOG_BINARY, f"a character that is no text (0x{ord(found[0]):02x})", text, found.start())
        return text

    def _not_an_event(self, text: str) -> None:
        """Raises BadLog, unless the mapping knows such lines."""
        if any(pattern.fits("", text) for pattern in self._others):
            self.others += 1
            return
        if (inner := _HEAD.search(text)) is not None:
            self._interleaved(text, inner.start())
        word = _WORD.match(text)
        if word is not None and word[0] in self._names:
            hint = "run QEMU with -msg timestamp=on: without it the log says neither which thread wrote a line, nor when"
            raise self._bad(Code.LOG_THREADS, "an event without a thread id", text, 0, hint)
        hint = "events look like 17040@1795408597.231746:qemu_mutex_unlock …; a mapping can list other lines: [[ignore]] line = '…'"
        raise self._bad(Code.LOG_LINE, "this line is no event", text, 0, hint)

    def _interleaved(self, text: str, column: int) -> None:
        hint = "several processes may have written to this file: give each QEMU its own -D FILE"
        raise self._bad(Code.LOG_INTERLEAVED, "another event begins inside of this line", text, column, hint)

    def _bad(self, code: Code, message: str, text: str, column: int, hint: str | None = None) -> BadLog:
        return BadLog(Diagnostic(code, message, self.place(self.lines, text, column), hint=hint))

    def place(self, number: int, text: str, column: int = 0) -> Span:
        """A place in the log, for a diagnostic: the lines before it are not kept."""
        start = number - 1 + column
        return Span(Source(self._path, "\n" * (number - 1) + text), start, start if column else number - 1 + len(text))
