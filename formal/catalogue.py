"""Models as a table in Markdown: what each is, where it comes from, what it abstracts, what is expected of it, and its parameters.

In: a `Library` and the files to show. Out: a text, made of what the files say themselves: their `protocol` lines, the comments at their
heads, `expect` and `param`. A folder's own sentence is the first one of its `about.dsl`. Nothing is proved.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from formal.frontend import load
from formal.library import Library, ModelFile
from formal.syntax import Node

ABOUT = "about.dsl"
_HEADS = ("model", "what it is", "what happens", "abstractions", "expected", "parameters")
_LONGEST = 120  # characters of an abstraction that still fit into the table
_EXPECTED = ("expect_proved", "expect_up_to", "expect_violated")
_LITERAL = re.compile(r"-?\d+|true|false")
_SPECIAL = re.compile(r"([\\*<>\[\]|`]|\b_|_\b)")


@dataclass(frozen=True, slots=True)
class Request:
    """`models` and `parts`: paths as the user gave them; links lead there from the folder `base`; `command` is what writes the text."""

    models: Sequence[str]
    parts: Sequence[str]
    base: Path
    command: str


def catalogue(library: Library, request: Request) -> str:
    """The whole text: a section for each folder, those without a model at the end."""
    folders: dict[str, list[str]] = {}
    for path in sorted((*request.models, *request.parts)):
        folders.setdefault(str(Path(path).parent), []).append(path)
    chosen = set(request.models)
    ordered = sorted(folders, key=lambda folder: (not chosen & set(folders[folder]), len(Path(folder).parts), folder))
    users = _users(library, request.models)
    sections = [_section(library, request, folder, folders[folder], users) for folder in ordered]
    proved = sum(_is_proved(library.file(path)) for path in request.models)
    head = f"""\
# Models

{len(request.models)} models, of which {proved} are expected to be proved and the others to be violated. Each carries this itself, and
`formal regress` holds it to that. This page is what `{request.command}` prints: it is made of the models, not written."""
    return "\n\n".join([head, *sections])


def _section(library: Library, request: Request, folder: str, paths: Sequence[str], users: Mapping[Path, int]) -> str:
    files = [library.file(path) for path in paths]
    blocks = [f"## {folder}"]
    blocks += [_plain(file.first_sentence()) for file in files if file.path.name == ABOUT]
    models = [file for file, path in zip(files, paths, strict=True) if path in set(request.models)]
    if models:
        rows = [_row(library, request, file) for file in models]
        blocks.append("\n".join(_line(cells) for cells in (_HEADS, ["---"] * len(_HEADS), *rows)))
    parts = [file for file in files if file not in models and file.path.name != ABOUT]
    if parts:
        told = [_part(request, file, users.get(file.path, 0)) for file in parts]
        blocks.append("\n".join(["Shared parts, which have no `protocol` and are not proved by themselves:", "", *told]))
    return "\n\n".join(blocks)


def _row(library: Library, request: Request, model: ModelFile) -> Sequence[str]:
    everything = library.with_imports(model)
    assert model.protocol is not None
    titles = model.protocol.leaves("STRING")
    return (
        _link(request, str(model.protocol.leaves()[0]), model),
        _plain(_unquoted(str(titles[0])) if titles else ""),
        _plain(model.first_sentence()),
        _abstracted(request, everything),
        "<br>".join(_expected(model.items)),
        "<br>".join(f"`{name} = {value}`" for name, value in _parameters(everything)),
    )


def _abstracted(request: Request, files: Sequence[ModelFile]) -> str:
    """The text itself where it is short, else links to where it stands: in the model, or in the parts that it imports."""
    found = [(file, told) for file in files if (told := file.abstraction()) is not None]
    text = " ".join(line.strip().removeprefix("- ") for _, told in found for line in told.text)
    if found and len(text) <= _LONGEST:
        return _plain(text)
    return "<br>".join(_link(request, _near(request, file), file, told.line) for file, told in found)


def _expected(items: Iterable[Node]) -> list[str]:
    told = []
    for item in items:
        if item.kind in _EXPECTED:
            verdict, *rest = _text(item).removeprefix("expect").removesuffix(";").split()
            told.append(f"{verdict} `{' '.join(rest)}`" if item.kind == "expect_violated" else " ".join([verdict, *rest]))
    return told


def _parameters(files: Sequence[ModelFile]) -> list[tuple[str, str]]:
    """Names and values. Only a model in which some value has to be worked out is typed, which takes longer than to read it."""
    params = [item for file in files for item in file.items if item.kind == "param"]
    values = {str(item.leaves()[0]): " ".join(_text(item).removesuffix(";").partition("=")[2].split()) for item in params}
    if not all(map(_LITERAL.fullmatch, values.values())) and (program := load(str(files[0].path)).program) is not None:
        values |= {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in program.parameters.items()}
    return list(values.items())


def _users(library: Library, models: Iterable[str]) -> dict[Path, int]:
    """How many of the models import a file, directly or not."""
    counts: dict[Path, int] = {}
    for path in models:
        for file in library.with_imports(library.file(path))[1:]:
            counts[file.path] = counts.get(file.path, 0) + 1
    return counts


def _part(request: Request, file: ModelFile, users: int) -> str:
    used = f"In {users or 'no'} {'model' if users == 1 else 'models'}."
    return f"* {_link(request, file.path.name, file)}: {_plain(file.first_sentence())} {used}"


def _is_proved(model: ModelFile) -> bool:
    return any(item.kind in _EXPECTED[:2] for item in model.items)


def _link(request: Request, name: str, file: ModelFile, line: int | None = None) -> str:
    target = _near(request, file).replace(" ", "%20")
    return f"[{_plain(name)}]({target}{'' if line is None else f'#L{line}'})"


def _near(request: Request, file: ModelFile) -> str:
    return Path(os.path.relpath(file.path, request.base)).as_posix()


def _text(item: Node) -> str:
    return item.span.source.text[item.span.start : item.span.end]


def _unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def _plain(text: str) -> str:
    """Text that Markdown shows as it is; backticks in pairs stay."""
    if text.count("`") % 2:
        return _SPECIAL.sub(r"\\\1", text)
    spans = text.split("`")
    return "`".join(part.replace("|", "\\|") if number % 2 else _SPECIAL.sub(r"\\\1", part) for number, part in enumerate(spans))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
