"""What is wrong with the files of a project, as it is now: `formal check`, for texts that are being written.

In: a project, a file to begin with. Out: diagnostics by real path. A part of models is read by itself, where names that it does not
declare are no mistakes; and the models that it is a part of say what they make of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from formal.codes import Code
from formal.diagnostics import Diagnostic, Span
from formal.lsp.project import Project
from formal.resources import shipped_models

_STATES = 2000  # looked at for the lints that need states; `formal check` looks at more

Findings = Mapping[Path, tuple[Diagnostic, ...]]


def check(project: Project, path: Path, *, states: bool = False) -> Findings:
    """Read a file as a model. `states`: look at some of its states, too. Every file that was read has an entry."""
    from formal.frontend import load

    loaded = load(str(path), buffers=project.buffers)
    diagnostics = loaded.diagnostics
    if states and loaded.program is not None:
        from formal.coverage import checked
        from formal.engines.survey import survey

        diagnostics = checked(loaded.program, diagnostics, survey(loaded.program, _STATES), (str(path),))
    found: dict[Path, list[Diagnostic]] = {file: [] for file in project.closure(path)}
    for diagnostic in diagnostics:
        if diagnostic.code is not Code.NO_PROTOCOL:
            found.setdefault(path if diagnostic.span is None else file_of(diagnostic.span), []).append(diagnostic)
    return {file: tuple(ones) for file, ones in found.items()}


def file_of(span: Span) -> Path:
    """The file that a place is in. What is not told from the root on is a shipped model."""
    return (shipped_models() / span.source.path).resolve()


def merged(findings: Iterable[Findings], file: Path) -> tuple[Diagnostic, ...]:
    """What several models say of one file, each thing once."""
    found: dict[tuple[object, ...], Diagnostic] = {}
    for one in findings:
        for diagnostic in one.get(file, ()):
            span = diagnostic.span
            place = (span.start, span.end) if span is not None else None
            found.setdefault((diagnostic.code, diagnostic.message, place), diagnostic)
    return tuple(found.values())
