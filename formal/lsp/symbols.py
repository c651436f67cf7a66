"""What a name means across files: where it is declared, where it is used, and what changes when it gets another name.

In: a place in a file. Out: places in files. Names are global to a model, and a part may be in many models: so the same name in two files is
one symbol if some model has both. What a model declares and a part uses is then declared as often as there are such models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from formal.frontend.names import BUILTIN_FUNCTIONS
from formal.frontend.occurrences import Occurrence, Symbol
from formal.lsp.project import Parsed, Project
from formal.parser.reading import keywords


class RenameError(Exception):
    """A name that cannot be given; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A symbol, and all its occurrences by file."""

    symbol: Symbol
    places: Mapping[Path, tuple[Occurrence, ...]]

    def declarations(self) -> tuple[tuple[Path, Occurrence], ...]:
        """Where it is declared."""
        return tuple((path, one) for path, found in self.places.items() for one in found if one.declared is not None)


def find(project: Project, path: Path, offset: int) -> Found | None:
    """The symbol at a place; None where no name stands."""
    parsed = project.parsed(path)
    one = parsed.at(offset) if parsed is not None else None
    if parsed is None or one is None:
        return None
    models = _models(project, path)
    return find_symbol(project, path, _resolved(project, one, models), models)


def find_symbol(project: Project, path: Path, symbol: Symbol, models: Mapping[Path, tuple[Path, ...]] | None = None) -> Found:
    """All places of a symbol that is spoken of in a file."""
    if symbol.kind == "local":
        return Found(symbol, {path: _matching(project, path, symbol, {})})
    models = models if models is not None else _models(project, path)
    group = {path}
    while True:
        near = {root: files for root, files in models.items() if group & set(files)}
        wider = {file for files in near.values() for file in files if _matching(project, file, symbol, near)} | {path}
        if wider == group:
            break
        group = wider
    places = {file: _matching(project, file, symbol, models) for file in sorted(group)}
    return Found(symbol, {file: found for file, found in places.items() if found})


def _models(project: Project, path: Path) -> dict[Path, tuple[Path, ...]]:
    """Everything that is read together; a file that is not in the folders by itself."""
    found = project.closures()
    if not any(path in files for files in found.values()):
        found[path] = project.closure(path)
    return found


def _matching(project: Project, path: Path, symbol: Symbol, models: Mapping[Path, tuple[Path, ...]]) -> tuple[Occurrence, ...]:
    parsed = project.parsed(path)
    if parsed is None:
        return ()
    return tuple(one for one in parsed.occurrences if one.symbol.name == symbol.name and _is(project, one, symbol, path, models))


def _is(project: Project, one: Occurrence, symbol: Symbol, path: Path, models: Mapping[Path, tuple[Path, ...]]) -> bool:
    if one.symbol == symbol:
        return True
    if symbol.kind != "label" or one.symbol.kind != "label" or one.symbol.owner:
        return False
    return _resolved(project, one, {root: files for root, files in models.items() if path in files}) == symbol


def _resolved(project: Project, one: Occurrence, models: Mapping[Path, tuple[Path, ...]]) -> Symbol:
    """A label with the body that it is in: the only one that has it, else the body that the thread runs."""
    symbol = one.symbol
    if symbol.kind != "label" or symbol.owner:
        return symbol
    for files in models.values():
        owners = {
            other.symbol.owner
            for file in files
            if (parsed := project.parsed(file)) is not None
            for other in parsed.occurrences
            if other.declared is not None and other.symbol.kind == "label" and other.symbol.name == symbol.name
        }
        if len(owners) == 1:
            return Symbol("label", symbol.name, owners.pop())
        if one.own in owners:
            return Symbol("label", symbol.name, one.own or "")
    return symbol


# ------------------------------------------------------------ renaming

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def rename(project: Project, path: Path, offset: int, name: str) -> Found:
    """The places that get the new name. Raises RenameError where that would be no name, or change what another one means."""
    found = find(project, path, offset)
    if found is None or not found.declarations():
        raise RenameError("there is no name here that a model declares")
    _spelled(found.symbol, name)
    for file in found.places:
        _ours(project, file)
    if found.symbol.kind != "local":
        for root, files in _models(project, path).items():
            if set(files) & set(found.places):
                _free(project, found.symbol, name, root, files)
    for file in found.places:
        _unchanged(project, file, found, name)
    return found


def _spelled(symbol: Symbol, name: str) -> None:
    if not _NAME.match(name):
        raise RenameError(f"`{name}` is no name: letters, digits and _, no digit first")
    if name in keywords():
        raise RenameError(f"`{name}` is a keyword and cannot be a name")
    if name in BUILTIN_FUNCTIONS and symbol.kind in ("global", "local"):
        raise RenameError(f"`{name}` is a function of the language")
    if symbol.kind == "label" and "idle" in (name, symbol.name):
        raise RenameError("the label `idle` has a meaning of its own: who waits there is not deadlocked")


def _ours(project: Project, file: Path) -> None:
    parsed = project.parsed(file)
    if parsed is None or not parsed.whole:
        raise RenameError(f"{file.name} has a syntax error: mend it first, so that no use is missed")
    if file not in project.buffers and not any(file.is_relative_to(folder) for folder in project.folders):
        raise RenameError(f"it is also in {file}, which is outside of the folders that are open")


def _free(project: Project, symbol: Symbol, name: str, root: Path, files: tuple[Path, ...]) -> None:
    wanted = _renamed(symbol, name)
    for file in files:
        parsed = project.parsed(file)
        for one in parsed.occurrences if parsed is not None else ():
            if one.declared is not None and one.symbol == wanted:
                beside = "" if root == file else f", which {root.name} imports"
                raise RenameError(f"`{name}` is declared already, in {file.name}:{one.span.line}{beside}")


def _renamed(symbol: Symbol, name: str) -> Symbol:
    if symbol.kind == "property":
        return Symbol("property", f"{symbol.name.partition('.')[0]}.{name}")
    return Symbol(symbol.kind, name, symbol.owner)


def _unchanged(project: Project, file: Path, found: Found, name: str) -> None:
    """Names are looked up again in the changed text: each must mean what it did."""
    before = project.parsed(file)
    assert before is not None
    changed = Project(project.folders, {**project.buffers, file: _replaced(before, found.places[file], name)})
    after = changed.parsed(file)
    if after is None or len(after.occurrences) != len(before.occurrences):
        raise RenameError(f"`{name}` would change what {file.name} means")
    body = found.symbol.owner.partition("#")[0]
    for old, new in zip(before.occurrences, after.occurrences, strict=True):
        where, number = old.symbol.owner.split("#") if old.symbol.kind == "local" else ("", "")
        if old.symbol.kind != new.symbol.kind or (number and not new.symbol.owner.endswith(f"#{number}")):
            raise RenameError(f"`{name}` would mean something else in {file.name}:{old.span.line}, where another `{name}` is seen")
        if number and where == body and old.symbol.name == name:
            raise RenameError(f"`{body}` has a local `{name}` already, in line {old.span.line}")


def _replaced(parsed: Parsed, places: tuple[Occurrence, ...], name: str) -> str:
    text = parsed.source.text
    for one in sorted(places, key=lambda place: -place.span.start):
        text = text[: one.span.start] + name + text[one.span.end :]
    return text
