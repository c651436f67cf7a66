"""`--watch`: a command again and again, whenever a file that it read has changed.

In: the command as a function, and what files it reads. Out: nothing; Ctrl-C ends it. A mistake in a model, or in what the command line asks
of it, is told and waited upon. What changes while the command runs is seen, too: the files are compared with what they were before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from formal.console import Exit, UsageError, say, say_mistake
from formal.formats.places import relative

_Stamp: TypeAlias = tuple[int, int, int] | None  # time of change, size, inode; None: it is not there
_LOOK = 1000  # milliseconds between two looks where nothing is heard: not every file system tells
_SETTLE = 100  # milliseconds that an editor may take to save


def check_watch() -> None:
    """Raises UsageError where watching is impossible."""
    try:
        import watchfiles  # noqa: F401
    except ImportError as error:
        raise UsageError("--watch needs the package watchfiles", "`pip install 'formal[watch]'` installs it") from error


def again(once: Callable[[], int], paths: Sequence[str], extra: Sequence[str]) -> int:
    """Run the command until it is interrupted; returns INTERRUPTED when it is so while the command runs. `paths`: its models."""
    while True:
        before = _look(paths, extra)
        if _once(once) == Exit.INTERRUPTED:
            return Exit.INTERRUPTED
        say(f"watching {len(before)} file{'' if len(before) == 1 else 's'}; Ctrl-C ends it")
        changed = _wait(before, paths, extra)
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[H\x1b[2J\x1b[3J")
            sys.stdout.flush()
        say(f"{', '.join(changed)} changed")


def _once(once: Callable[[], int]) -> int:
    try:
        return once()
    except UsageError as error:
        say_mistake(error)
        return Exit.USAGE


def _look(paths: Sequence[str], extra: Sequence[str]) -> dict[Path, _Stamp]:
    """Every file that the models read, and what can be told from outside about what is in it."""
    from formal.loader import read_model

    found: dict[Path, _Stamp] = {}
    for path in paths:
        for file in (*map(Path, (path, *extra)), *read_model(path, extra).seen):
            found[file.absolute()] = _stamp(file)
    return found


def _stamp(file: Path) -> _Stamp:
    try:
        told = file.stat()
    except (OSError, ValueError):
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino


def _wait(before: Mapping[Path, _Stamp], paths: Sequence[str], extra: Sequence[str]) -> tuple[str, ...]:
    """The files that differ from before, as soon as there are any."""
    from watchfiles import watch

    folders = {file.parent for file in before}
    there = [folder for folder in folders if folder.is_dir()]
    look = True  # once in any case: something may have come before the watching began
    for heard in watch(
        *there, watch_filter=None, debounce=_SETTLE, rust_timeout=_LOOK, yield_on_timeout=True, raise_interrupt=True, recursive=False
    ):
        changed = _changed(before) or (_come(before, paths, extra) if heard or look else ())
        if changed:
            return changed
        look = False
    raise KeyboardInterrupt


def _changed(before: Mapping[Path, _Stamp]) -> tuple[str, ...]:
    """Files that have changed or gone."""
    return tuple(relative(str(file)) for file, stamp in before.items() if _stamp(file) != stamp)


def _come(before: Mapping[Path, _Stamp], paths: Sequence[str], extra: Sequence[str]) -> tuple[str, ...]:
    """Files that would be read now, and could not be before: an import that was missing."""
    return tuple(relative(str(file)) for file in _look(paths, extra) if file not in before)
