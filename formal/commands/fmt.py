"""`formal fmt`: model files in the one layout.

In: parsed arguments. Out: files written anew where they differ, or only told (`--check`, `--diff`). A file that cannot be parsed is told
and left as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from formal.console import Exit, Parser, UsageError, answer, say, say_diagnostics
from formal.diagnostics import Diagnostic

_STDIN = "-"
_STDIN_SHOWN = "<stdin>"


@dataclass(frozen=True, slots=True)
class _Result:
    """One file: its bytes before (none where it cannot be read), the text that it should have (None: diagnostics say why not)."""

    shown: str
    before: bytes
    after: str | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def differs(self) -> bool:
        return self.after is not None and self.after.encode() != self.before


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="a model file, a folder of *.dsl, or - for standard input (default: .)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; list the files that would change, exit 1 if there are any")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    parser.description = (
        f"{parser.description} Indents by 4, sets blanks and braces; keeps line breaks, single blank lines and the columns of comments."
    )
    parser.epilog = "example: formal fmt --check models"


def run(arguments: argparse.Namespace) -> int:
    """Lay out; returns VIOLATED when --check finds a file that would change, USAGE when one cannot be parsed. Raises UsageError."""
    if _STDIN in arguments.paths and len(arguments.paths) > 1:
        raise UsageError("`-` is standard input: no file can be named beside it")
    results = [_laid_out(shown, given) for shown, given in _inputs(arguments.paths)]
    for result in results:
        say_diagnostics(result.diagnostics)
    told = list(_told(results, diff=arguments.diff, check=arguments.check))
    if told:
        answer("\n".join(told))
    if not (arguments.check or arguments.diff) and arguments.paths != [_STDIN]:
        _write_all(results)
    if arguments.paths != [_STDIN]:
        say(_summary(results, "would change" if arguments.check or arguments.diff else "changed"))
    if any(result.after is None for result in results):
        return Exit.USAGE
    return Exit.VIOLATED if arguments.check and any(result.differs for result in results) else Exit.OK


def _told(results: Iterable[_Result], *, diff: bool, check: bool) -> Iterator[str]:
    """The answer: diffs, the names of files that change, or the laid out text of standard input."""
    for result in results:
        if diff and result.differs:
            yield _diff(result)
        elif not diff and result.differs and (check or result.shown != _STDIN_SHOWN):
            yield result.shown
        elif result.shown == _STDIN_SHOWN and not check and not diff and result.after:
            yield result.after.removesuffix("\n")  # the answer ends in a line break of its own


def _inputs(paths: Sequence[str]) -> Iterator[tuple[str, bytes | Diagnostic]]:
    from formal.loader import bytes_of

    if list(paths) == [_STDIN]:
        yield _STDIN_SHOWN, sys.stdin.buffer.read()
        return
    seen: set[Path] = set()
    for given in paths:
        for path in _files(given):
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield str(path), bytes_of(path, str(path))


def _files(given: str) -> list[Path]:
    path = Path(given)
    if "\0" in given or not path.exists():
        raise UsageError(f"no file or folder `{given}`".replace("\0", "\\0"))
    if not path.is_dir():
        return [path]
    found = sorted(found for found in path.rglob("*.dsl") if found.is_file() and not _hidden(found.relative_to(path)))
    if not found:
        raise UsageError(f"no *.dsl below `{given}`")
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _laid_out(shown: str, given: bytes | Diagnostic) -> _Result:
    """What becomes of a text, or of a file that cannot be read."""
    from formal.formatting import formatted
    from formal.loader import source_of

    source = given if isinstance(given, Diagnostic) else source_of(given, shown)
    before = b"" if isinstance(given, Diagnostic) else given
    if isinstance(source, Diagnostic):
        return _Result(shown, before, None, (source,))
    made = formatted(source)
    return _Result(shown, before, made.text, made.diagnostics)


def _diff(result: _Result) -> str:
    before = result.before.decode().replace("\r\n", "\n").split("\n")
    after = (result.after or "").split("\n")
    lines = unified_diff(before, after, result.shown, f"{result.shown} (laid out)", lineterm="")
    return "\n".join(lines) or f"{result.shown}: line ends or a byte order mark"


def _write_all(results: Iterable[_Result]) -> None:
    for result in results:
        if result.differs and result.after is not None:
            _replace(Path(result.shown).resolve(), result.after)


def _replace(path: Path, text: str) -> None:
    """Put a text in a file's place, all of it or nothing. Raises UsageError."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
            Path(name).chmod(path.stat().st_mode & 0o7777)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from error


def _summary(results: Sequence[_Result], verb: str) -> str:
    changed = sum(result.differs for result in results)
    broken = sum(result.after is None for result in results)
    told = [f"{changed} file{'' if changed == 1 else 's'} {verb}", f"{len(results) - changed - broken} already laid out"]
    return ", ".join(told + ([f"{broken} cannot be parsed"] if broken else []))
