"""Files of a model: the one named, its imports, and what `--with` adds. The only reader of model files.

In: a path as the user gave it. Out: declarations in textual order, each import expanded where it stands, each file once. A model may read
below its own folder, below the folders of `--with` files, and the shipped models; nothing else, whatever `..` or a link says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from formal import limits
from formal.codes import Code
from formal.diagnostics import Diagnostic, Source, Span
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
    files = Files([shipped_models().resolve()], buffers=buffers or {})
    for given in (path, *extra):
        if "\0" in given:
            shown = given.replace("\0", "\\0")
            _unreadable(files, Diagnostic(Code.FILE_MISSING, f"no file `{shown}`", None, file=shown))
            return files
        files.roots.append(Path(given).resolve().parent)
    for given in (path, *extra):
        _file(files, Path(given), given, None)
    return files


def read_alone(path: str) -> Files:
    """The file by itself; its imports stay among the declarations."""
    files = Files([shipped_models().resolve()], follow=False)
    _file(files, Path(path), path, None)
    return files


def imported(item: Node, folder: Path) -> Path | None:
    """The file that an import in a file of the folder means; None if there is none."""
    wanted = str(item.items[0])[1:-1]
    found = ((base / wanted).resolve() for base in (folder, shipped_models()))
    return next((path for path in found if path.is_file()), None)


def read_text(text: str, name: str) -> Files:
    """A model that is in no file; its imports are shipped models."""
    files = Files([shipped_models().resolve()])
    _source(files, Source(name, _newlines(text)), None, keep=False)
    return files


def text_source(text: str, shown: str) -> Source:
    """A text as if it had been read from a file."""
    return Source(shown, _newlines(text))


def _newlines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _file(files: Files, path: Path, shown: str, span: Span | None) -> None:
    real = path.resolve()
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
    try:
        if not real.exists():
            return Diagnostic(Code.FILE_MISSING, f"no file `{shown}`", span, file=shown)
        if not real.is_file():
            return Diagnostic(Code.FILE_UNREADABLE, f"`{shown}` is no regular file", span, file=shown)
        size = real.stat().st_size
        if size > limits.FILE_BYTES:
            return Diagnostic(Code.LIMIT, f"`{shown}` has {size} bytes; the limit is {limits.FILE_BYTES}", span, file=shown)
        data = real.read_bytes()
    except (OSError, ValueError) as error:
        return Diagnostic(Code.FILE_UNREADABLE, f"cannot read `{shown}`: {getattr(error, 'strerror', None) or error}", span, file=shown)
    problem = source_of(data, shown)
    return replace(problem, span=span) if isinstance(problem, Diagnostic) else problem


def source_of(data: bytes, shown: str) -> Source | Diagnostic:
    """The text in a file's bytes."""
    try:
        return _shared(shown, _newlines(data.decode("utf-8")))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Diagnostic(Code.FILE_ENCODING, f"`{shown}` is not UTF-8 (line {line})", None, file=shown)


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
            real = (base / wanted).resolve()
            there = real.exists()
        except (OSError, ValueError, RuntimeError) as error:
            _unreadable(files, Diagnostic(Code.FILE_UNREADABLE, f"cannot read `{wanted[:60]}`: {error}", span))
            return
        if not there:
            continue
        if Path(wanted).is_absolute() or not any(real.is_relative_to(root) for root in files.roots):
            hint = "a model reads files below its own folder and the shipped models only"
            _unreadable(files, Diagnostic(Code.FILE_OUTSIDE, f"`{wanted}` leads out of the model's folder", span, hint=hint))
            return
        shown = str(Path(source.path).parent / wanted) if base == folder else wanted
        _file(files, real, shown, span)
        return
    hint = "looked for beside this file, then among the shipped models" if folder is not None else "looked for among the shipped models"
    _unreadable(files, Diagnostic(Code.FILE_MISSING, f"no file `{wanted}`", span, hint=hint))
