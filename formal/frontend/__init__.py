"""The front end: from a model's text to a `Program`, or to diagnostics that say what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from formal import limits
from formal.codes import Code
from formal.diagnostics import Diagnostic
from formal.frontend.assembly import Assembly
from formal.frontend.claims import ClaimReader
from formal.frontend.contracts import ContractReader
from formal.frontend.declarations import Declarations
from formal.frontend.expressions import Expressions
from formal.frontend.lints import static_lints
from formal.frontend.names import Names
from formal.frontend.rendering import unquote
from formal.frontend.statements import Statements
from formal.loader import Files, read_model, read_text
from formal.program import EnumType, Literal, Program
from formal.syntax import Node


@dataclass(frozen=True, slots=True)
class Loaded:
    """`program` is None when one of the diagnostics is an error. `constants`: as they are spelled, parameters among them."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]
    constants: Mapping[str, str] = field(default_factory=dict)


def load(
    path: str, defines: Mapping[str, str] | None = None, extra: Sequence[str] = (), buffers: Mapping[Path, str] | None = None
) -> Loaded:
    """Read the model in a file. `defines`: -D NAME=VALUE; `extra`: --with FILE; `buffers`: texts that count instead of what is in a file,
    by real path. Raises nothing for a user's mistake."""
    return _understand(read_model(path, extra, buffers), (path, *extra), defines or {})


def load_text(text: str, name: str = "<text>", defines: Mapping[str, str] | None = None) -> Loaded:
    """Read a model that is in no file; its imports are shipped models."""
    return _understand(read_text(text, name), (name,), defines or {})


def understand(files: Files, file: str, defines: Mapping[str, str] | None = None) -> Loaded:
    """Read a model whose declarations were put together elsewhere; its `protocol` line is in the first of its sources."""
    return _understand(files, (file,), defines or {})


def resized(program: Program, sizes: Mapping[str, int], extra: Sequence[str] = ()) -> Program | None:
    """The program of the same text with other values of some parameters. `extra`: the --with files that it was loaded with. None where it
    does not load so, or the text is not at hand any more."""
    defines = {name: _word(value) for name, value in {**program.parameters, **sizes}.items()}
    if program.sources and Path(program.file).is_file():
        loaded = load(program.file, defines, extra)
    elif program.sources:
        loaded = load_text(program.sources[0].text, program.file, defines)
    else:
        return None
    found = loaded.program
    same = found is not None and [source.text for source in found.sources] == [source.text for source in program.sources]
    return found if same else None


def _word(value: int | bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _understand(files: Files, named: Sequence[str], defines: Mapping[str, str]) -> Loaded:
    """Everything that can be said at once: what could not be read is told, and hides nothing but what may depend on it."""
    names = Names(unread=files.unread, blind=files.blind)
    names.diagnostics += files.diagnostics
    expressions = Expressions(names)
    statements = Statements(names, expressions)
    protocol = _protocol(files, named[0], names)
    Declarations(names, expressions, statements).read(files.items, defines)
    ContractReader(names, expressions).read(files.items)
    claims = ClaimReader(names, expressions).read(files.items)
    program = Assembly(names, claims).finish(files.sources, named[0], protocol)
    if program is not None:
        names.diagnostics += static_lints(program, names, named)
    constants = {name: _spelled(literal) for name, literal in names.constants.items()}
    return Loaded(program, _presented(names.diagnostics, files), constants)


def _spelled(literal: Literal) -> str:
    """A constant as -D takes it."""
    match literal.type:
        case EnumType(members=members):
            return members[literal.value]
        case _:
            return str(literal.value).lower()


def _presented(diagnostics: Sequence[Diagnostic], files: Files) -> tuple[Diagnostic, ...]:
    """In the order of the text, what is of no text that was read before it, and no more errors than anybody reads."""
    position = {source: number for number, source in enumerate(files.sources)}
    ordered = sorted(diagnostics, key=lambda d: (position.get(d.span.source, -1), d.span.start) if d.span is not None else (-1, 0))
    errors = [diagnostic for diagnostic in ordered if diagnostic.is_error]
    if len(errors) <= limits.DIAGNOSTICS:
        return tuple(ordered)
    text = f"{len(errors) - limits.DIAGNOSTICS} more mistakes are not shown; the limit is {limits.DIAGNOSTICS}"
    return (*errors[: limits.DIAGNOSTICS], Diagnostic(Code.LIMIT, text, None))


def _protocol(files: Files, file: str, names: Names) -> tuple[str, str]:
    """Name and title. The file named on the command line has the `protocol` line; those of imported files say nothing here."""
    first = files.sources[0] if files.sources else None
    own: list[Node] = [item for item in files.items if item.kind == "protocol" and item.span.source is first]
    if not own and not files.diagnostics:
        names.diagnostics.append(_part(files, file))
    if not own:
        names.blind = True  # a part of models: what it does not declare, a model does
        return "", ""
    for second in own[1:]:
        names.diagnostics.append(Diagnostic(Code.DUPLICATE, "a second `protocol` line", second.span))
    titles = own[0].leaves("STRING")
    return str(own[0].leaves()[0]), unquote(titles[0]) if titles else ""


def _part(files: Files, file: str) -> Diagnostic:
    """The mistake to name a part of models in place of a model."""
    hooks = {str(item.leaves()[0]) for item in files.items if item.kind == "hook"}
    asked = [str(item.leaves()[1]) for item in files.items if item.kind == "callback"]
    missing = next((hook for hook in asked if hook not in hooks), None)
    hint = '`protocol NAME "title";` makes it a model; where it is a part that models import, name one of those'
    if missing is not None:
        hint = f"it has a callback for `{missing}`: name a model with that hook, and this file behind it: MODEL --with {file}"
    return Diagnostic(Code.NO_PROTOCOL, f"`{file}` has no `protocol` line, so it is no model", None, hint=hint, file=file)
