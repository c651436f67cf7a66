"""The record of what anchored functions were: a TOML text, one line for each function, in order, so that a diff of it says what changed.

In and out: text. Raises BadRecord, with a diagnostic, for a text that is no such record.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from formal.codes import Code
from formal.diagnostics import Diagnostic, Source, Span

_DIGEST: Final = re.compile(r"[0-9a-f]{24}")
_HEAD: Final = """# What the C functions were that models stand for: `formal anchors --record` wrote it, `formal anchors` compares with it.
# A function has one digest of its tokens for each of its definitions; comments and layout do not count.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """`version`: of the sources, "" if they did not say; `digests`: by `file:function`."""

    version: str
    digests: Mapping[str, tuple[str, ...]]


class BadRecord(Exception):
    """The text is no record."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def written(record: Record) -> str:
    """The text, without a newline at its end."""
    lines = [_HEAD, f"version = {_quoted(record.version)}", "", "[functions]"]
    for name in sorted(record.digests):
        lines.append(f"{_quoted(name)} = [{', '.join(_quoted(digest) for digest in record.digests[name])}]")
    return "\n".join(lines)


def read(source: Source) -> Record:
    """The record in a text. Raises BadRecord."""
    try:
        document = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(source, f"not TOML: {error}", None) from error
    functions = document.get("functions")
    if not isinstance(functions, dict) or not isinstance(document.get("version"), str):
        raise _bad(source, "a record has a `version` and a table [functions]", None)
    for key in document:
        if key not in ("version", "functions"):
            raise _bad(source, f"nothing reads `{key}`", key)
    for name, digests in functions.items():
        if not _are_digests(digests):
            raise _bad(source, f"`{name}` has a list of digests of 24 hexadecimal digits", name)
    return Record(document["version"], {name: tuple(digests) for name, digests in functions.items()})


def _are_digests(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in value)


def _bad(source: Source, message: str, word: str | None) -> BadRecord:
    start = source.text.find(word) if word else -1
    span = Span(source, start, start + len(word)) if word and start >= 0 else None
    return BadRecord(Diagnostic(Code.ANCHOR_RECORD, message, span, file=source.path, hint="`formal anchors --record FILE` writes one anew"))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
