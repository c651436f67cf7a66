"""`formal check`: what is wrong, or looks wrong, with a model, without proving anything.

In: parsed arguments. Out: diagnostics, an exit code. Part of the lints look at the states that a short search finds; where it is not
exhausted they say nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from formal import __version__
from formal.commands.declaring import check_format, configure_answer, configure_model
from formal.console import Exit, Parser, answer, check_writable, definitions, say_diagnostics
from formal.diagnostics import Diagnostic

_STATES = 4000  # a look, not a search: the whole command stays below half a second


def configure(parser: Parser) -> None:
    """Declare the arguments."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a model file")
    configure_model(parser)
    parser.add_argument("--watch", action="store_true", help="again whenever a file that the model reads has changed, until Ctrl-C")
    configure_answer(parser)
    parser.epilog = "example: formal check models/savevm_locked.dsl"


def run(arguments: argparse.Namespace) -> int:
    """Check; returns USAGE when a model has an error. Raises UsageError."""
    check_format(arguments)
    check_writable(arguments.output)
    definitions(arguments.defines)
    if not arguments.watch:
        return _once(arguments)
    from formal.commands.watching import again, check_watch

    check_watch()
    return again(lambda: _once(arguments), arguments.models, arguments.extra)


def _once(arguments: argparse.Namespace) -> int:
    """The same, without --watch."""
    defines = definitions(arguments.defines)
    found = {path: _check(path, defines, arguments.extra) for path in arguments.models}
    if arguments.format == "json":
        documents = [_document(path, diagnostics) for path, diagnostics in found.items()]
        answer(json.dumps(documents[0] if len(documents) == 1 else documents, indent=1, ensure_ascii=False), arguments.output)
    else:
        for diagnostics in found.values():
            say_diagnostics(diagnostics)
        answer("\n".join(f"{path}: {_counts(diagnostics)}" for path, diagnostics in found.items()), arguments.output)
    return Exit.USAGE if any(one.is_error for diagnostics in found.values() for one in diagnostics) else Exit.OK


def _check(path: str, defines: Mapping[str, str], extra: Sequence[str]) -> tuple[Diagnostic, ...]:
    from formal.frontend import load

    loaded = load(path, defines, extra)
    if loaded.program is None:
        return loaded.diagnostics
    from formal.coverage import checked
    from formal.engines.survey import survey

    return checked(loaded.program, loaded.diagnostics, survey(loaded.program, _STATES), (path, *extra))


def _document(path: str, diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    errors, warnings = _split(diagnostics)
    return {
        "formal": __version__,
        "file": path,
        "errors": errors,
        "warnings": warnings,
        "diagnostics": [diagnostic.to_json() for diagnostic in diagnostics],
    }


def _counts(diagnostics: Sequence[Diagnostic]) -> str:
    errors, warnings = _split(diagnostics)
    told = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in ((errors, "error"), (warnings, "warning")) if count]
    return ", ".join(told) or "nothing to say against it"


def _split(diagnostics: Sequence[Diagnostic]) -> tuple[int, int]:
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    return errors, len(diagnostics) - errors
