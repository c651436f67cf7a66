"""Texts that were parsed before, by this process or an earlier one.

In: a `Source`. Out: what `reading` makes of it. Trees of texts without a mistake are kept in a private folder, each by a digest over its
text and everything that says how it is read: on doubt it is parsed, which is why `reading`, and lark with it, is imported only then. A tree
is kept as plain data, of which nothing is executed, behind a digest of its own: a file that is damaged is none. Must not know files of
models.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from formal.diagnostics import Diagnostic, Source, Span
from formal.resources import grammar_text, private_folder
from formal.syntax import Leaf, Node, Tree

MOST: Final = 1000  # trees that are kept; beyond, the older half goes
_FOLDER: Final = "trees"

Parsed = tuple[tuple[Node, ...], tuple[Diagnostic, ...], frozenset[str]]


@lru_cache(maxsize=64)  # by the source itself: the loader shares those
def parse(source: Source, *, keep: bool) -> Parsed:
    """As `reading.parse`: the declarations of a text, what is wrong with it, and the words of what could not be read. `keep`: later
    processes are likely to ask for it, too."""
    path = _path(source.text) if keep else None
    nodes = None if path is None else _recalled(path, source)
    if nodes is not None:
        return nodes, (), frozenset()
    from formal.parser import reading

    found = reading.parse(source)
    if path is not None and not found[1]:
        _keep(path, found[0])
    return found


def _path(text: str) -> Path | None:
    """Where the tree of a text is kept, None where there is no safe place."""
    folder = private_folder()
    return None if folder is None else folder / _FOLDER / hashlib.sha256(f"{_manner()}\0{text}".encode()).hexdigest()


@cache
def _manner() -> str:
    """What the tree of a text depends on: the grammar, how it is read, which lark reads it, and how trees are kept."""
    state = hashlib.sha256(grammar_text().encode())
    for name in ("reading.py", "kept.py"):
        state.update(Path(__file__).with_name(name).read_bytes())
    lark = find_spec("lark")
    if lark is not None and lark.origin is not None:
        state.update(f"{lark.origin} {Path(lark.origin).stat().st_mtime_ns}".encode())
    return state.hexdigest()


def _recalled(path: Path, source: Source) -> tuple[Node, ...] | None:
    """The nodes that are kept there; None if there is nothing, or it is not what was written."""
    try:
        told, _, data = path.read_bytes().partition(b"\n")
        if told.decode("ascii") != hashlib.sha256(data).hexdigest():
            return None
        return tuple([_node(item, source) for item in json.loads(data)])
    except (OSError, ValueError):
        return None


def _keep(path: Path, nodes: tuple[Node, ...]) -> None:
    """Write them there, beside first and then moved into place; a folder that cannot be written keeps nothing."""
    data = json.dumps([_plain(node) for node in nodes], separators=(",", ":")).encode()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _make_room(path.parent)
        beside.write_bytes(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        beside.replace(path)


def _make_room(folder: Path) -> None:
    there = list(folder.iterdir())
    if len(there) >= MOST:
        for path in sorted(there, key=lambda one: one.stat().st_mtime)[: MOST // 2]:
            path.unlink(missing_ok=True)


def _plain(tree: Tree) -> list[Any]:
    """A leaf as kind, start, end and text; a node as kind, start, end and what is below."""
    span = tree.span
    return [tree.kind, span.start, span.end, tree.text if isinstance(tree, Leaf) else [_plain(item) for item in tree.items]]


def _node(plain: list[Any], source: Source) -> Node:
    kind, start, end, items = plain
    return Node(kind, tuple([_tree(item, source) for item in items]), Span(source, start, end))


def _tree(plain: list[Any], source: Source) -> Tree:
    kind, start, end, below = plain
    return Leaf(kind, below, Span(source, start, end)) if isinstance(below, str) else _node(plain, source)
