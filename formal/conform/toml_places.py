"""Where things stand in a TOML text, which tomllib does not tell. In: the text, a table's header, a key. Out: a `Span`."""

from __future__ import annotations

import re
from typing import Final

from formal.diagnostics import Source, Span

_HEADER: Final = re.compile(r"^[ \t]*(\[\[?)[ \t]*([\w.\-\"' ]+?)[ \t]*\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)


def place(source: Source, header: str, number: int, key: str | None) -> Span:
    """The key's first mention inside of the number-th table of that name ("": the top of the file); the table's header without a key, or
    where the key is not found (a table may be written in many ways)."""
    start, end, head = 0, len(source.text), Span(source, 0, 0)
    seen = -1
    for found in _HEADER.finditer(source.text):
        if seen == number and header:
            end = found.start()
            break
        if not header and key is not None and found[2].split(".")[0] == key:
            return Span(source, found.start(2), found.end(2))
        if found[2] == header:
            seen += 1
            if seen == number:
                start, head = found.end(), Span(source, found.start(), found.end())
    if key is None:
        return head
    mention = re.compile(rf"(?<![\w-]){re.escape(key)}[ \t]*[=.]").search(source.text, start, end)
    return head if mention is None else Span(source, mention.start(), mention.start() + len(key))
