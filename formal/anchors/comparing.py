"""Anchored functions as they are in a source tree, and against a record.

In: anchors, a tree, a record. Out: a `Finding` for each anchor. A function that is not in its file is looked for in all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from formal.anchors.definitions import Definition, definitions, may_define, mentions
from formal.anchors.naming import Anchor
from formal.anchors.record import Record

ORDER: Final = ("gone", "unreadable", "changed", "moved and changed", "moved", "new", "same")
FINE: Final = frozenset({"same"})


class Tree(Protocol):
    """A source tree. Paths are relative to its top, with `/`."""

    def read(self, path: str) -> bytes | None:
        """A file's bytes; None if there is none."""

    def files(self) -> Iterable[str]:
        """All files that C or Python may be in."""


@dataclass(frozen=True, slots=True)
class Found:
    """One anchored function now. `definitions`: in its own file; `elsewhere`: in others, by path; `mentioned`: the first line of its file
    that has the name though no definition could be read; `there`: whether its file exists."""

    anchor: Anchor
    definitions: Sequence[Definition]
    elsewhere: Mapping[str, Sequence[Definition]]
    mentioned: int | None
    there: bool

    @property
    def digests(self) -> tuple[str, ...]:
        """Of its definitions, in its own file."""
        return tuple(one.digest for one in self.definitions)


@dataclass(frozen=True, slots=True)
class Finding:
    """One anchor and what became of it: a word of `ORDER`. `where`: the places of its definitions, or of what now bears the name."""

    anchor: Anchor
    state: str
    where: tuple[str, ...]
    doubtful: bool
    detail: str


def look(anchors: Sequence[Anchor], tree: Tree) -> list[Found]:
    """The anchored functions in a tree. Raises ModuleNotFoundError without tree-sitter."""
    by_file: dict[str, list[Anchor]] = {}
    for anchor in anchors:
        by_file.setdefault(anchor.file, []).append(anchor)
    found: dict[str, Found] = {}
    for path, here in by_file.items():
        text = tree.read(path)
        known = {} if text is None else definitions(path, text, {anchor.function for anchor in here})
        for anchor in here:
            mentioned = None if text is None else mentions(text, anchor.function)
            found[anchor.name] = Found(anchor, known.get(anchor.function, []), {}, mentioned, text is not None)
    lost = [one for one in found.values() if not one.definitions]
    elsewhere = _search(tree, {one.anchor.function for one in lost})
    for one in lost:
        found[one.anchor.name] = Found(one.anchor, (), elsewhere.get(one.anchor.function, {}), one.mentioned, one.there)
    return [found[anchor.name] for anchor in anchors]


def _search(tree: Tree, names: set[str]) -> dict[str, dict[str, list[Definition]]]:
    """Definitions of these names anywhere, by name and file."""
    found: dict[str, dict[str, list[Definition]]] = {}
    if not names:
        return found
    for path in tree.files():
        text = tree.read(path)
        likely = {name for name in names if text is not None and name.encode() in text and may_define(text, name)}
        if likely and text is not None:
            for name, ones in definitions(path, text, likely).items():
                found.setdefault(name, {})[path] = ones
    return found


def compare(found: Sequence[Found], record: Record) -> list[Finding]:
    """What became of each anchor since the record, the worst first."""
    findings = [_finding(one, record.digests.get(one.anchor.name)) for one in found]
    return sorted(findings, key=lambda one: (ORDER.index(one.state), one.anchor.name))


def _finding(one: Found, recorded: tuple[str, ...] | None) -> Finding:
    where = tuple(f"{one.anchor.file}:{definition.line}" for definition in one.definitions)
    doubtful = any(definition.doubtful for definition in one.definitions)
    if one.definitions:
        if recorded is None:
            return Finding(one.anchor, "new", where, doubtful, "it is not in the record")
        state = "same" if recorded == one.digests else "changed"
        count = "" if len(recorded) == len(one.definitions) else f"{len(recorded)} definitions before, {len(one.definitions)} now"
        return Finding(one.anchor, state, where, doubtful, count)
    where = tuple(f"{path}:{definition.line}" for path, ones in one.elsewhere.items() for definition in ones)
    if one.elsewhere:
        same = recorded is not None and any(recorded == tuple(d.digest for d in ones) for ones in one.elsewhere.values())
        detail = "" if recorded is not None else "it is not in the record"
        return Finding(one.anchor, "moved" if same or recorded is None else "moved and changed", where, False, detail)
    if one.mentioned is not None:
        detail = "its name is there, but no definition that could be read: a macro may make it"
        return Finding(one.anchor, "unreadable", (f"{one.anchor.file}:{one.mentioned}",), False, detail)
    detail = (
        "no definition anywhere"
        if one.there
        else "neither its file nor a definition elsewhere; if a build makes it, name the build's folder"
    )
    return Finding(one.anchor, "gone", (), False, detail)


def stale(anchors: Sequence[Anchor], record: Record) -> list[str]:
    """Functions of the record that no model names any more."""
    named = {anchor.name for anchor in anchors}
    return [name for name in sorted(record.digests) if name not in named]
