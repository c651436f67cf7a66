"""The anchors that models name.

In: a library of model files. Out: each anchor with the places where it stands and the models that read them; a diagnostic for each that is
not `file:function`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from formal.codes import Code
from formal.diagnostics import Diagnostic, Span
from formal.library import Library, ModelFile

_SHAPE: Final = re.compile(r"(?!/)(?:(?!\.\.?/)[\w.+-]+/)*[\w+-][\w.+-]*\.\w+:[A-Za-z_]\w*", re.ASCII)


@dataclass(slots=True)
class Anchor:
    """`file` in the C sources, with `/`, and a function in it. `spans`: where models name it; `models`: the files with a `protocol` that
    read those places, as their paths were given."""

    file: str
    function: str
    spans: list[Span]
    models: dict[str, None]

    @property
    def name(self) -> str:
        """`migration/savevm.c:save_snapshot`."""
        return f"{self.file}:{self.function}"


def anchors(library: Library, models: Iterable[str]) -> tuple[list[Anchor], list[Diagnostic]]:
    """The anchors of these files and of all that they import, by name; and what is wrong with others, or with the files."""
    found: dict[str, Anchor] = {}
    wrong: dict[tuple[str, int], Diagnostic] = {}
    seen: set[tuple[str, int]] = set()
    for shown in models:
        model = library.file(shown)
        for file in library.with_imports(model):
            for span, text in _written(file):
                place = (str(file.path), span.start)
                if not _SHAPE.fullmatch(text):
                    wrong[place] = _malformed(span, text)
                    continue
                anchor = found.get(text)
                if anchor is None:
                    path, _, function = text.rpartition(":")
                    anchor = found[text] = Anchor(path, function, [], {})
                if place not in seen:
                    seen.add(place)
                    anchor.spans.append(span)
                if model.protocol is not None:
                    anchor.models[shown] = None
    mistakes = [mistake for file in library.files.values() for mistake in file.diagnostics if mistake.is_error]
    return [found[name] for name in sorted(found)], [*mistakes, *wrong.values()]


def _written(file: ModelFile) -> Iterable[tuple[Span, str]]:
    """The words behind each `@` in a file's own text."""
    for item in file.items:
        for node in item.walk():
            if node.kind == "anchor":
                yield node.items[0].span, str(node.items[0])[1:-1]


def _malformed(span: Span, text: str) -> Diagnostic:
    hint = 'for example "migration/savevm.c:save_snapshot": a path from the top of the source tree, and a function\'s name'
    return Diagnostic(Code.ANCHOR_SHAPE, f"`{text}` is not file:function", span, hint=hint)
