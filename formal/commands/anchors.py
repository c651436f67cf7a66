"""`formal anchors`: whether the C functions that models stand for are still what they were.

In: parsed arguments. Out: the answer, an exit code: 0 when all are as recorded (or were recorded, or only listed), 1 when a model is to be
looked at, 2 for a malformed anchor, a bad record, or sources that are not there.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from formal.codes import Code
from formal.commands.declaring import check_format, configure_answer
from formal.console import Exit, Parser, UsageError, answer, check_writable, columns, legible, say_diagnostics
from formal.diagnostics import Diagnostic, Source

if TYPE_CHECKING:
    from formal.anchors.comparing import Found
    from formal.anchors.naming import Anchor
    from formal.anchors.record import Record
    from formal.anchors.telling import Comparison

FORMATS = ("text", "json", "github")
DEFAULT = "anchors.toml"
SUFFIXES = (".c", ".h", ".inc", ".py")
LARGEST = 8 * 1024 * 1024  # bytes of a file that somebody wrote


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("models", nargs="*", metavar="MODEL", help="model files, or folders of them (default: models)")
    words = "the C sources; again for a build's folder with generated files (without: the anchors are listed)"
    parser.add_argument("--source", action="append", default=[], metavar="DIR", help=words)
    parser.add_argument("--record", metavar="FILE", help="write down what the functions are now")
    parser.add_argument("--against", metavar="FILE", help=f"the record to compare with (default: {DEFAULT} beside the models)")
    configure_answer(parser, FORMATS)
    parser.epilog = """A model says which C function a statement or body stands for:
@ "migration/savevm.c:save_snapshot". docs/anchors.md says what is compared.

example: once, for the version that the models were written for; then with
every pull of QEMU

  formal anchors --source ~/qemu --record models/anchors.toml
  formal anchors --source ~/qemu
"""


def run(arguments: argparse.Namespace) -> int:
    """Record, compare or list. Raises UsageError."""
    _check(arguments)
    from formal.anchors.naming import anchors
    from formal.library import read_library

    paths = _models(arguments.models)
    found, mistakes = anchors(read_library(paths), paths)
    if mistakes:
        say_diagnostics(mistakes)
        return Exit.USAGE
    if not arguments.source:
        return _list(found, arguments)
    tree = SourceTree(arguments.source)
    seen = _look(found, tree)
    if found and not any(one.there for one in seen):
        message = f"none of the {len({one.anchor.file for one in seen})} files that the models name is there"
        hint = "--source is the top of the tree: the folder that has migration/ and util/"
        say_diagnostics([Diagnostic(Code.ANCHOR_SOURCE, message, None, hint=hint, file=arguments.source[0])])
        return Exit.USAGE
    if arguments.record is not None:
        return _record(seen, tree, arguments)
    return _compare(found, seen, tree, arguments)


def _check(arguments: argparse.Namespace) -> None:
    check_format(arguments, FORMATS)
    if arguments.record is not None and arguments.against is not None:
        raise UsageError("--record and --against exclude each other")
    if (arguments.record or arguments.against) and not arguments.source:
        raise UsageError("--record and --against need --source DIR")
    for folder in arguments.source:
        if not Path(folder).is_dir():
            raise UsageError(f"--source {folder}: no such folder")
    check_writable(arguments.output)
    check_writable(arguments.record)


def _models(given: Sequence[str]) -> list[str]:
    """The files that are meant: those of a folder that are models, and so have a `protocol`, or are parts of some."""
    found: dict[str, None] = {}
    for name in given or ["models"]:
        path = Path(name)
        if path.is_dir():
            found |= dict.fromkeys(str(one) for one in sorted(path.rglob("*.dsl")))
        elif path.exists():
            found[name] = None
        else:
            raise UsageError(f"no file or folder `{name}`", None if given else "name the models, or call it where a folder `models` is")
    if not found:
        raise UsageError(f"no model below {', '.join(given)}")
    legible(found)
    return list(found)


# ---------------------------------------------------------------- sources


class SourceTree:
    """Folders of sources, the first with a file of that name being the one that has it."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = [Path(folder) for folder in folders]

    @property
    def version(self) -> str:
        """What the file VERSION says; "" without one."""
        text = self.read("VERSION")
        return "" if text is None else text.decode("utf-8", "replace").strip().partition("\n")[0]

    def read(self, path: str) -> bytes | None:
        """A file's bytes; None if there is none, or it is not to be read."""
        for folder in self._folders:
            try:
                if (folder / path).is_file() and (folder / path).stat().st_size <= LARGEST:
                    return (folder / path).read_bytes()
            except OSError:
                continue
        return None

    def files(self) -> Iterator[str]:
        """All sources, by path from the top; hidden folders are left out."""
        for folder in self._folders:
            for top, folders, names in os.walk(folder):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                for name in sorted(names):
                    if name.endswith(SUFFIXES):
                        yield (Path(top) / name).relative_to(folder).as_posix()


def _look(found: Sequence[Anchor], tree: SourceTree) -> list[Found]:
    from formal.anchors.comparing import look

    try:
        return look(found, tree)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("tree_sitter", "tree_sitter_c"):
            raise
        raise UsageError(f"reading C needs the package {error.name}", "pip install 'formal[source]'") from error


# ---------------------------------------------------------------- answers


def _list(found: Sequence[Anchor], arguments: argparse.Namespace) -> int:
    from formal.anchors.telling import anchor_row, listing

    if arguments.format == "github":
        raise UsageError("--format github needs --source DIR: there is nothing to annotate")
    as_json = json.dumps([anchor_row(anchor) for anchor in found], indent=1, ensure_ascii=False)
    answer(as_json if arguments.format == "json" else listing(found), arguments.output)
    return Exit.OK


def _record(seen: Sequence[Found], tree: SourceTree, arguments: argparse.Namespace) -> int:
    from formal.anchors.record import Record, written
    from formal.anchors.telling import recorded

    record = Record(tree.version, {one.anchor.name: one.digests for one in seen if one.definitions})
    answer(written(record), arguments.record)
    answer(recorded(seen, arguments.record, tree.version), arguments.output)
    return Exit.OK


def _compare(found: Sequence[Anchor], seen: Sequence[Found], tree: SourceTree, arguments: argparse.Namespace) -> int:
    from formal.anchors.comparing import compare, stale
    from formal.anchors.telling import Comparison

    path = arguments.against or str(_beside(arguments.models) / DEFAULT)
    record = _read(path)
    if record is None:
        return Exit.USAGE
    left_over = [] if arguments.models else stale(found, record)
    made = Comparison(path, record.version, tree.version, compare(seen, record), left_over)
    answer(_told(made, arguments), arguments.output)
    return Exit.OK if made.same else Exit.VIOLATED


def _beside(given: Sequence[str]) -> Path:
    first = Path(given[0]) if given else Path("models")
    return first if first.is_dir() else first.parent


def _read(path: str) -> Record | None:
    """None if there is no such record, which has then been said."""
    from formal.anchors.record import BadRecord, read

    try:
        return read(Source(path, Path(path).read_bytes().decode("utf-8").replace("\r\n", "\n")))
    except BadRecord as error:
        problem = error.diagnostic
    except FileNotFoundError:
        hint = "write one: formal anchors --source DIR --record FILE; or name one: --against FILE"
        problem = Diagnostic(Code.FILE_MISSING, f"no record `{path}` to compare with", None, hint=hint, file=path)
    except (OSError, UnicodeDecodeError) as error:
        code = Code.FILE_ENCODING if isinstance(error, UnicodeDecodeError) else Code.FILE_UNREADABLE
        problem = Diagnostic(code, f"cannot read `{path}`: {getattr(error, 'strerror', None) or error}", None, file=path)
    say_diagnostics([problem])
    return None


def _told(made: Comparison, arguments: argparse.Namespace) -> str:
    from formal.anchors import telling

    if arguments.format == "json":
        return json.dumps(telling.document(made), indent=1, ensure_ascii=False)
    if arguments.format == "github":
        from formal.formats.github import annotation

        return "\n".join(annotation("warning", file, line, title, message) for file, line, title, message in telling.warnings(made))
    return telling.text(made, columns(arguments.output))
