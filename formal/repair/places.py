"""Places in files that several models share, under whatever name each of them was given.

In: spans. Out: keys, the same for the same place of the same file. It asks the file system where a name leads, and reads nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeAlias

from formal.diagnostics import Span
from formal.resources import shipped_models

Key: TypeAlias = tuple[str, int, int]  # file, and the offsets of a statement's text in it


@cache
def real(path: str) -> Path:
    """The file that a source was read from, as its path is shown."""
    here = Path(path)
    return (here if here.is_file() else shipped_models() / path).resolve()


def key_of(span: Span) -> Key:
    """The place of a statement."""
    return str(real(span.source.path)), span.start, span.end
