"""Mapping files, for the commands that read them. In: a path. Out: a text, or what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from formal.codes import Code
from formal.diagnostics import Diagnostic, Source


def fetch(path: str) -> Source | Diagnostic:
    """The text of a mapping file."""
    try:
        return Source(path, Path(path).read_bytes().decode("utf-8").replace("\r\n", "\n"))
    except FileNotFoundError:
        return Diagnostic(Code.FILE_MISSING, f"no file `{path}`", None, file=path)
    except (OSError, ValueError) as error:
        code = Code.FILE_ENCODING if isinstance(error, UnicodeDecodeError) else Code.FILE_UNREADABLE
        return Diagnostic(code, f"cannot read `{path}`: {getattr(error, 'strerror', None) or error}", None, file=path)


def mapping_of(model: str, given: str | None) -> str | Diagnostic:
    """The path of a model's mapping: the one that is given, else the one beside it."""
    if not Path(model).exists():
        return Diagnostic(Code.FILE_MISSING, f"no file `{model}`", None, file=model)
    path = str(Path(model).with_suffix(".toml"))
    if given is not None or Path(path).exists():
        return given or path
    hint = f"write one (docs/conform.md), or name one: --mapping FILE; looked for `{path}`"
    message = "nothing says which lines of a log are which steps of this model"
    return Diagnostic(Code.MAPPING_MISSING, message, None, hint=hint, file=model)
