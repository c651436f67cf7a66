"""Which build of this package is running. In: nothing. Out: a digest over its sources."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from formal.resources import grammar_text


@cache
def code_digest() -> str:
    """Of the sources of this package, by name, and of the grammar: `sha256:…`."""
    root = Path(__file__).resolve().parent
    state = hashlib.sha256(grammar_text().encode())
    for path in sorted(root.rglob("*.py")):
        state.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
        state.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{state.hexdigest()}"
