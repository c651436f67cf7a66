"""Files of a model: the one named, its imports, and what `--with` adds. The only reader of model files.

In: a path as the user gave it. Out: declarations in textual order, each import expanded where it stands, each file once. A model may read
below its own folder, below the folders of `--with` files, and the shipped models; nothing else, whatever `..` or a link says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from formal import limits
from formal.codes import Code
from formal.diagnostics import Diagnostic, Note, Source, Span
from formal.parser.kept import parse
from formal.resources import shipped_models
from formal.syntax import Node


@dataclass(slots=True)
class Files:
    """What has been read so far. `unread`: the words of declarations with syntax errors; `blind`: a whole file could not be read;
    `follow`: imports are expanded where they stand; `buffers`: texts that are newer than their files, by real path."""

    roots: list[Path] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)
    sources: list[Source] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    blind: bool = False
    follow: bool = True
    buffers: Mapping[Path, str] = field(default_factory=dict)


def read_model(path: str, extra: Sequence[str] = (), buffers: Mapping[Path, str] | None = None) -> Files:
    """The file, its imports, and the `--with` files after it. `buffers`: what an editor holds, by real path."""
    files = Files([real_path(shipped_models())], buffers=buffers or {})
    for given in (path, *extra):
        if "\0" in given:
            shown = given.replace("\0", "\\0")
            _unreadable(files, Diagnostic(Code.FILE_MISSING, f"no file `{shown}`", None, file=shown))
            return files
        files.roots.append(real_path(Path(given)).parent)
    for given in (path, *extra):
        _file(files, Path(given), given, None)
    return files


def read_alone(path: str) -> Files:
    """The file by itself; its imports stay among the declarations."""
    files = Files([real_path(shipped_models())], follow=False)
    _file(files, Path(path), path, None)
    return files


def imported(item: Node, folder: Path) -> Path | None:
    """The file that an import in a file of the folder means; None if there is none."""
    wanted = str(item.items[0])[1:-1]
    found = (real_path(base / wanted) for base in (folder, shipped_models()))
    return next((path for path in found if path.is_file()), None)


def read_text(text: str, name: str) -> Files:
    """A model that is in no file; its imports are shipped models."""
    files = Files([real_path(shipped_models())])
    _source(files, Source(name, _newlines(text)), None, keep=False)
    return files


def text_source(text: str, shown: str) -> Source:
    """A text as if it had been read from a file."""
    return Source(shown, _newlines(text))


def real_path(path: Path) -> Path:
    """Where the path leads, links followed; one that leads to nothing, or in a circle, is for whoever reads it to find."""
    return Path(os.path.realpath(path))


def _neat(path: str, real: Path) -> str:
    """The path without `a/..` in it, which a diff or an upload may not have; as it is where `a` is a link, and that leads elsewhere."""
    neat = os.path.normpath(path)
    return neat if real_path(Path(neat)) == real else path


def _newlines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _file(files: Files, path: Path, shown: str, span: Span | None) -> None:
    real = real_path(path)
    if real in files.seen:
        return
    files.seen.add(real)
    problem = _read(files, real, shown, span)
    if isinstance(problem, Diagnostic):
        _unreadable(files, problem)
    else:
        _source(files, problem, real.parent, keep=real not in files.buffers)


def _read(files: Files, real: Path, shown: str, span: Span | None) -> Source | Diagnostic:
    if len(files.seen) > limits.FILES:
        return Diagnostic(Code.LIMIT, f"more than {limits.FILES} files", span, file=shown)
    if real in files.buffers:
        return Source(shown, _newlines(files.buffers[real]))
    data = bytes_of(real, shown, span)
    return data if isinstance(data, Diagnostic) else source_of(data, shown, span)


def bytes_of(path: Path, shown: str, span: Span | None = None) -> bytes | Diagnostic:
    """What is in a file. `span`: where it is imported."""
    try:
        if not path.exists():
            return Diagnostic(Code.FILE_MISSING, f"no file `{shown}`", span, file=shown)
        if not path.is_file():
            return Diagnostic(Code.FILE_UNREADABLE, f"`{shown}` is no regular file", span, file=shown)
        size = path.stat().st_size
        return _too_large(size, shown, span) if size > limits.FILE_BYTES else path.read_bytes()
    except (OSError, ValueError) as error:
        return Diagnostic(Code.FILE_UNREADABLE, f"cannot read `{shown}`: {getattr(error, 'strerror', None) or error}", span, file=shown)


def source_of(data: bytes, shown: str, span: Span | None = None) -> Source | Diagnostic:
    """The text in a file's bytes. `span`: where the file is imported."""
    if len(data) > limits.FILE_BYTES:
        return _too_large(len(data), shown, span)
    try:
        return _shared(shown, _newlines(data.decode("utf-8")))
    except UnicodeDecodeError as error:
        legible = Source(shown, _newlines(data.decode("utf-8", "replace")))
        at = len(_newlines(data[: error.start].decode("utf-8")))
        notes = () if span is None else (Note("imported here", span),)
        return Diagnostic(Code.FILE_ENCODING, f"`{shown}` is not UTF-8", Span(legible, at, at + 1), notes)


def _too_large(size: int, shown: str, span: Span | None) -> Diagnostic:
    return Diagnostic(Code.LIMIT, f"`{shown}` has {size} bytes; the limit is {limits.FILE_BYTES}", span, file=shown)


@lru_cache(maxsize=64)
def _shared(shown: str, text: str) -> Source:
    """The same source for the same text, so that a library file is parsed once for all the models that import it."""
    return Source(shown, text)


def _source(files: Files, source: Source, folder: Path | None, *, keep: bool) -> None:
    files.sources.append(source)
    items, diagnostics, unread = parse(source, keep=keep)
    files.diagnostics += diagnostics
    files.unread |= unread
    for item in items:
        if item.kind == "import_" and files.follow:
            _import(files, item, folder, source)
        else:
            files.items.append(item)


def _unreadable(files: Files, problem: Diagnostic) -> None:
    files.diagnostics.append(problem)
    files.blind = True


def _import(files: Files, item: Node, folder: Path | None, source: Source) -> None:
    wanted = str(item.items[0])[1:-1]
    span = item.items[0].span
    bases = [folder] if folder is not None else []
    for base in (*bases, files.roots[0]):
        try:
            real = real_path(base / wanted)
            there = real.exists()
        except (OSError, ValueError) as error:
            _unreadable(files, Diagnostic(Code.FILE_UNREADABLE, f"cannot read `{wanted[:60]}`: {error}", span))
            return
        if not there:
            continue
        if Path(wanted).is_absolute() or not any(real.is_relative_to(root) for root in files.roots):
            hint = "a model reads files below its own folder and the shipped models only"
            _unreadable(files, Diagnostic(Code.FILE_OUTSIDE, f"`{wanted}` leads out of the model's folder", span, hint=hint))
            return
        shown = _neat(str(Path(source.path).parent / wanted), real) if base == folder else wanted
        _file(files, real, shown, span)
        return
    hint = "looked for beside this file, then among the shipped models" if folder is not None else "looked for among the shipped models"
    _unreadable(files, Diagnostic(Code.FILE_MISSING, f"no file `{wanted}`", span, hint=hint))
