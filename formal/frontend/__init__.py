"""The front end: from a model's text to a `Program`, or to diagnostics that say what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from formal.codes import Code
from formal.diagnostics import Diagnostic
from formal.frontend.assembly import Assembly
from formal.frontend.declarations import Declarations
from formal.frontend.expressions import Expressions
from formal.frontend.lints import static_lints
from formal.frontend.names import Names
from formal.frontend.rendering import unquote
from formal.frontend.statements import Statements
from formal.loader import Files, read_model, read_text
from formal.program import Program
from formal.syntax import Node


@dataclass(frozen=True, slots=True)
class Loaded:
    """`program` is None when one of the diagnostics is an error."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]


def load(path: str, defines: Mapping[str, str] | None = None, extra: Sequence[str] = ()) -> Loaded:
    """Read the model in a file. `defines`: -D NAME=VALUE; `extra`: --with FILE. Raises nothing for a user's mistake."""
    return _understand(read_model(path, extra), (path, *extra), defines or {})


def load_text(text: str, name: str = "<text>", defines: Mapping[str, str] | None = None) -> Loaded:
    """Read a model that is in no file; its imports are shipped models."""
    return _understand(read_text(text, name), (name,), defines or {})


def _understand(files: Files, named: Sequence[str], defines: Mapping[str, str]) -> Loaded:
    if files.diagnostics:  # a declaration that could not be read would only make others look wrong
        return Loaded(None, tuple(files.diagnostics))
    names = Names()
    expressions = Expressions(names)
    statements = Statements(names, expressions)
    protocol = _protocol(files, named[0], names)
    Declarations(names, expressions, statements).read(files.items, defines)
    assembly = Assembly(names, expressions)
    assembly.claim(files.items)
    program = assembly.finish(files.sources, named[0], protocol)
    lints = static_lints(program, names, named) if program is not None else ()
    return Loaded(program, (*names.diagnostics, *lints))


def _protocol(files: Files, file: str, names: Names) -> tuple[str, str]:
    """Name and title. The file named on the command line has the `protocol` line; those of imported files say nothing here."""
    own: list[Node] = [item for item in files.items if item.kind == "protocol" and item.span.source is files.sources[0]]
    if not own:
        hint = '`protocol NAME "title";`'
        names.diagnostics.append(Diagnostic(Code.NO_PROTOCOL, f"`{file}` has no `protocol` line", None, hint=hint, file=file))
        return "", ""
    for second in own[1:]:
        names.diagnostics.append(Diagnostic(Code.DUPLICATE, "a second `protocol` line", second.span))
    titles = own[0].leaves("STRING")
    return str(own[0].leaves()[0]), unquote(titles[0]) if titles else ""
