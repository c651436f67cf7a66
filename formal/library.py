"""Folders of model files as they stand, without the meaning of a name: what each file says at its head, declares and imports.

In: paths of files. Out: a `Library`, in which each file is read once. It must not prove or type anything, nor print.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from formal.diagnostics import Diagnostic, Source
from formal.loader import imported, read_alone, real_path
from formal.syntax import Leaf, Node

_COMMENT = re.compile(r"//(?: (.*)|(.*))")
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])[.?!](?=\s+[A-Z`\"(]|\s*$)")  # not that of an initial
_ABSTRACTED = re.compile(r"What is abstracted\b")
_NAMED = frozenset(
    {
        "const", "param", "variable", "thread_local", "mutex", "rwlock", "sem", "event", "cond",
        "context", "bh", "thread", "hook", "callback", "proc",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Abstraction:
    """What a file says that it leaves out: the lines behind `What is abstracted`, and the line of the text where that stands."""

    text: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class ModelFile:
    """One file. `shown` is its path as the user gave it, `path` the real one; `items` are its own declarations, imports among them."""

    shown: str
    path: Path
    source: Source
    items: tuple[Node, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def protocol(self) -> Node | None:
        """Its `protocol` line; None in a part that others import."""
        return next((item for item in self.items if item.kind == "protocol"), None)

    def header(self) -> tuple[str, ...]:
        """The lines of the comment at its head, without slashes."""
        return tuple(_comment_lines(self.source.text))

    def first_sentence(self) -> str:
        """The first sentence of the header; empty without one."""
        lines = self.header()
        end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
        paragraph = " ".join(line.strip() for line in lines[:end])
        found = _SENTENCE_END.search(paragraph)
        return paragraph[: found.end()] if found else paragraph

    def abstraction(self) -> Abstraction | None:
        """What it leaves out, up to the end of that paragraph; None if the header does not say."""
        lines = self.header()
        first = next((number for number, line in enumerate(lines) if _ABSTRACTED.match(line)), None)
        if first is None:
            return None
        end = next((number for number in range(first + 1, len(lines)) if not lines[number].strip()), len(lines))
        same_line = lines[first].partition(":")[2].strip()
        return Abstraction(tuple(filter(None, (same_line, *lines[first + 1 : end]))), first + 1)

    def declared(self) -> Iterator[Leaf]:
        """The names that it declares."""
        for item in self.items:
            names = item.leaves()
            if item.kind == "enum":
                yield from names
            elif item.kind in _NAMED:
                yield names[0]


@dataclass(slots=True)
class Library:
    """Files by their real paths."""

    files: dict[Path, ModelFile] = field(default_factory=dict)

    def file(self, shown: str) -> ModelFile:
        """One file, read now if it was not before. What is wrong with it is among its diagnostics."""
        path = real_path(Path(shown))
        if path not in self.files:
            read = read_alone(shown)
            source = read.sources[0] if read.sources else Source(shown, "")
            self.files[path] = ModelFile(shown, path, source, tuple(read.items), tuple(read.diagnostics))
        return self.files[path]

    def with_imports(self, model: ModelFile) -> tuple[ModelFile, ...]:
        """The file and all that it imports, directly or not, each once, in the order in which they are first named."""
        found = {model.path: model}
        queue = [model]
        while queue:
            one = queue.pop(0)
            for item in one.items:
                path = imported(item, one.path.parent) if item.kind == "import_" else None
                if path is not None and path not in found:
                    found[path] = self.file(str(path))
                    queue.append(found[path])
        return tuple(found.values())


def read_library(paths: Sequence[str]) -> Library:
    """All these files."""
    library = Library()
    for path in paths:
        library.file(path)
    return library


def _comment_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        found = _COMMENT.fullmatch(line)
        if found is None:
            return
        yield (found[1] or found[2] or "").rstrip()
