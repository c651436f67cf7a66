"""Where the grammar and the shipped models are: package data in an installed wheel, beside the package in a checkout; and the schemas of
what `--format json` writes, which lie in the package. Layer 0."""

from __future__ import annotations

import os
import stat
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SCHEMA = ".schema.json"


def _find(name: str) -> Path:
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


@cache
def grammar_text() -> str:
    """The grammar, for lark. Raises OSError when the installation is broken."""
    return (_find("grammar") / "formal.lark").read_text(encoding="utf-8")


def shipped_models() -> Path:
    """The folder in which imports are looked for last."""
    return _find("models")


def private_folder() -> Path | None:
    """A folder for what is made once and read again by later runs, which nobody else can write; None where there is no safe place."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "formal"
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = base.stat()
    except (OSError, RuntimeError):
        return None
    return base if status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) else None


def schemas() -> tuple[str, ...]:
    """The commands whose JSON documents have a schema."""
    return tuple(sorted(path.name.removesuffix(_SCHEMA) for path in (_PACKAGE / "schemas").glob(f"*{_SCHEMA}")))


def schema_path(command: str) -> Path:
    """The file with the JSON Schema of that command's documents (one of `schemas`)."""
    return _PACKAGE / "schemas" / f"{command}{_SCHEMA}"
