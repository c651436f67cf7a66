"""The files that an editor works on: their texts, what they import, and who imports them.

In: folders, and the texts of open files. Out: parsed files, by real path, each parsed once a change. It knows no protocol of any editor.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from formal.diagnostics import Diagnostic, Source
from formal.frontend.occurrences import Occurrence, occurrences
from formal.loader import bytes_of, imported, source_of, text_source
from formal.lsp.repair import readable
from formal.syntax import Node

_FOLDERS = 20_000  # looked into: somebody may open an editor on a whole disk


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """One file. `whole`: nothing of it had to be left out to read it."""

    path: Path
    source: Source
    items: tuple[Node, ...]
    occurrences: tuple[Occurrence, ...]
    whole: bool

    @property
    def is_model(self) -> bool:
        """Whether it can be proved by itself."""
        return any(item.kind == "protocol" for item in self.items)

    def imports(self) -> Iterator[tuple[Node, Path | None]]:
        """Each import, and the file that it means."""
        for item in self.items:
            if item.kind == "import_":
                yield item, imported(item, self.path.parent)

    def at(self, offset: int) -> Occurrence | None:
        """The name at a place of the text; the place behind its last letter counts."""
        return next((one for one in self.occurrences if one.span.start <= offset <= one.span.end), None)


@dataclass(slots=True)
class Project:
    """`folders`: real paths; `buffers`: texts of open files, by real path."""

    folders: list[Path] = field(default_factory=list)
    buffers: dict[Path, str] = field(default_factory=dict)
    _parsed: dict[Path, tuple[object, Parsed]] = field(default_factory=dict)
    _listed: frozenset[Path] | None = None

    def parsed(self, path: Path) -> Parsed | None:
        """A file as it is now; None if it cannot be read."""
        stamp, source = self._read(path)
        if stamp is None:
            return None
        known = self._parsed.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        source = source or self._load(path)
        if source is None:
            return None
        items, whole = readable(source)
        found = Parsed(path, source, items, occurrences(items), whole)
        self._parsed[path] = stamp, found
        return found

    def _read(self, path: Path) -> tuple[object, Source | None]:
        """What tells one version from another, and the text where it is at hand."""
        text = self.buffers.get(path)
        if text is not None:
            return text, text_source(text, str(path))
        try:
            status = path.stat()
        except OSError:
            return None, None
        return (status.st_mtime_ns, status.st_size), None

    def _load(self, path: Path) -> Source | None:
        data = bytes_of(path, str(path))
        made = data if isinstance(data, Diagnostic) else source_of(data, str(path))
        return None if isinstance(made, Diagnostic) else made

    def refresh(self) -> None:
        """Look again for the files of the folders, when they are asked for next."""
        self._listed = None

    def files(self) -> tuple[Path, ...]:
        """Every model file of the folders, and every open one."""
        if self._listed is None:
            self._listed = frozenset(file for folder in self.folders for file in _below(folder))
        return tuple(sorted(self._listed | set(self.buffers)))

    def closure(self, path: Path) -> tuple[Path, ...]:
        """A file and all that it imports, in the order of the text."""
        found: dict[Path, None] = {}
        todo = [path]
        while todo:
            one = todo.pop()
            parsed = self.parsed(one) if one not in found else None
            if parsed is None:
                continue
            found[one] = None
            todo += [target for _, target in reversed(list(parsed.imports())) if target is not None]
        return tuple(found)

    def closures(self) -> dict[Path, tuple[Path, ...]]:
        """Of every file that no other one imports, and of every model, what it is made of."""
        files = self.files()
        inner = {target for path in files for _, target in self._imports(path) if target is not None}
        return {path: self.closure(path) for path in files if path not in inner or self._is_model(path)}

    def _imports(self, path: Path) -> Iterable[tuple[Node, Path | None]]:
        parsed = self.parsed(path)
        return () if parsed is None else parsed.imports()

    def _is_model(self, path: Path) -> bool:
        parsed = self.parsed(path)
        return parsed is not None and parsed.is_model

    def models_with(self, path: Path) -> tuple[Path, ...]:
        """The models that a file is a part of, itself among them if it is one; open ones first."""
        found = [root for root, files in self.closures().items() if path in files and self._is_model(root)]
        return tuple(sorted(found, key=lambda root: (root != path, root not in self.buffers, root)))


def _below(folder: Path) -> Iterator[Path]:
    """Model files, but for those in hidden folders."""
    for number, (where, folders, files) in enumerate(os.walk(folder)):
        if number >= _FOLDERS:
            return
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        yield from (Path(where, name).resolve() for name in files if name.endswith(".dsl") and not name.startswith("."))
