"""Paths as other tools want them: relative to where the command runs, with forward slashes, and as URIs.

In: paths as messages show them. Out: words. It must not open files.
"""

from __future__ import annotations

from os.path import normpath
from pathlib import Path
from urllib.parse import quote


def relative(path: str) -> str:
    """The path from the current folder if it lies below, else as it is; always with forward slashes."""
    found = Path(normpath(path))  # "callbacks/../lib/rcu.dsl" is how an import is named, and no path that an upload may have
    here = Path.cwd()
    if found.is_absolute() and found.is_relative_to(here):
        found = found.relative_to(here)
    return found.as_posix()


def uri(path: str) -> str:
    """A relative reference for what lies below the current folder, else a `file:` URI."""
    found = relative(path)
    if found.startswith(("/", "..")):
        return Path(found).resolve().as_uri()
    return quote(found)
