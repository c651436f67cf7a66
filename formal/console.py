"""What the commands share: the exit codes, mistakes in the command line, and the three streams.

In: words from the user, texts for the user. Out: printed lines, and argparse parsers that raise instead of exiting. It must not know what
any command does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Final, NoReturn, TextIO

from formal.diagnostics import Diagnostic

_DIGITS: Final = 9  # of a number on the command line


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    VIOLATED = 1  # or: differs from its record
    USAGE = 2  # or: a bad model
    UNDECIDED = 3
    INTERNAL = 4  # or: two ways disagree
    INTERRUPTED = 130


class UsageError(Exception):
    """A mistake in the command line. `hint` says what would be right, if that is known."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `UsageError`s."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, f"`{self.prog} --help` shows the options and an example")


def positive(text: str) -> int:
    """An argument that is a whole number of at least 1."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """An argument that is a whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    whole = text.isascii() and text.isdigit()
    if whole and len(text) > _DIGITS:
        raise argparse.ArgumentTypeError(f"a whole number of at most {10**_DIGITS - 1} is wanted, not `{text[:40]}`")
    if not whole or int(text) < least:
        raise argparse.ArgumentTypeError(f"a whole number of at least {least} is wanted, not `{text}`")
    return int(text)


def seconds(text: str) -> float:
    """An argument that is a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1e7:
        raise argparse.ArgumentTypeError(f"a positive number of seconds is wanted, not `{text}`")
    return value


def definitions(words: Iterable[str]) -> dict[str, str]:
    """The NAME=VALUE words of -D as a mapping. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or not value:
            raise UsageError(f"-D wants NAME=VALUE, not `{word}`", "for example -D VCPUS=4")
        if found.setdefault(name, value) != value:
            raise UsageError(f"-D {name} is given twice, as `{found[name]}` and as `{value}`")
    return found


def coloured(stream: TextIO, *, plain: bool) -> bool:
    """Whether colour and progress are welcome on the stream."""
    return stream.isatty() and not plain and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns(path: str | None) -> int:
    """How wide an answer may be: as the terminal, where it goes there, and not into the file or a pipe; at least 40."""
    return max(40, shutil.get_terminal_size().columns) if path is None and sys.stdout.isatty() else 80


def open_streams() -> None:
    """Let what the caller has closed (`>&-`) lead nowhere: the exit code tells the verdict all the same."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process lives


def legible(words: Iterable[str]) -> None:
    """Refuse words that no answer could name: empty ones, and names of files that are no text. Raises UsageError."""
    for word in words:
        if not word:
            raise UsageError("an empty word on the command line", "perhaps a variable of the shell that is not set")
        if not word.isascii() and any("\ud800" <= letter <= "\udfff" for letter in word):
            raise UsageError(f"`{os.fsencode(word).decode('utf-8', 'backslashreplace')}` is not UTF-8", "rename the file, or link to it")


def say(text: str) -> None:
    """One message on standard error; where that cannot be written, nobody is there to be told."""
    with suppress(OSError):
        _write(sys.stderr, text)


def say_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics on standard error, a blank line between."""
    text = "\n\n".join(diagnostic.render() for diagnostic in diagnostics)
    if text:
        say(text)


def say_mistake(error: UsageError) -> None:
    """A mistake in the command line, told in the shape of a diagnostic."""
    say(f"formal: error: {error.message}" + (f"\n  = help: {error.hint}" if error.hint else ""))


def check_writable(path: str | None) -> None:
    """Refuse an -o FILE that cannot be written before hours are spent on what belongs into it. Raises UsageError."""
    if path is None:
        return
    target = Path(path)
    folder = target.parent
    try:
        if target.is_dir():
            raise UsageError(f"-o {path}: is a folder")
        if not folder.is_dir():
            raise UsageError(f"-o {path}: there is no folder {folder}")
    except OSError as error:
        raise UsageError(f"-o {path}: {error.strerror}") from error
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise UsageError(f"-o {path}: cannot be written")


def check_folder(path: str | None) -> None:
    """Make the folder that is to be written into, if it isn't there. Raises UsageError."""
    if path is None:
        return
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise UsageError(f"{path}: cannot be written into")


def answer(text: str, path: str | None = None) -> None:
    """The answer: on standard output, or in the file. Raises UsageError when that cannot be written."""
    try:
        if path is None:
            _write(sys.stdout, text)
        else:
            Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{'standard output' if path is None else f'-o {path}'}: {error.strerror}") from error


def job_summary() -> str | None:
    """The file that a CI job's summary is to be added to, None outside of a job that has one."""
    return os.environ.get("GITHUB_STEP_SUMMARY") or None


def add_to_summary(path: str, text: str) -> None:
    """Add Markdown to a job's summary. One that cannot be written is told, and takes nothing away from the answer."""
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        say(f"warning: the job's summary {path} cannot be written: {error.strerror}")


def _write(stream: TextIO, text: str) -> None:
    """Text and a newline, whatever the stream's encoding; a reader that has gone away is not an error. Raises OSError for any other."""
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # so that the interpreter's last flush is quiet, too
        if not isinstance(error, BrokenPipeError):
            raise
