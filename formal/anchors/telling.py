"""What became of anchored functions, as text, as data, as annotations.

In: findings. Out: text of at most `width` columns where words allow it; a document.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from formal import __version__
from formal.anchors.comparing import FINE, ORDER, Finding, Found
from formal.anchors.naming import Anchor

MODELS: Final = 6  # told of one function in the text
_TITLES: Final = {
    "gone": "gone",
    "unreadable": "not readable",
    "changed": "changed",
    "moved and changed": "moved to another file, and changed",
    "moved": "moved to another file",
    "new": "not in the record",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is told. `before`, `now`: versions of the sources; `stale`: recorded, and no longer named by a model."""

    record: str
    before: str
    now: str
    findings: Sequence[Finding]
    stale: Sequence[str]

    @property
    def same(self) -> bool:
        """Whether there is nothing to look at."""
        return all(one.state in FINE for one in self.findings)


def text(made: Comparison, width: int) -> str:
    """For people."""
    counts = Counter(one.state for one in made.findings)
    summary = ", ".join(f"{counts[state]} {state}" for state in reversed(ORDER) if counts[state])
    lines = [f"{len(made.findings)} anchored functions, {made.before or '?'} (recorded) against {made.now or '?'}: {summary}"]
    for state in ORDER:
        ones = [one for one in made.findings if one.state == state]
        if ones and state not in FINE:
            lines += ["", _TITLES[state]]
            for one in ones:
                lines += _finding(one, width)
    doubtful = [one.anchor.name for one in made.findings if one.doubtful]
    if doubtful:
        lines += ["", *_wrapped(f"read with errors, so that their ends are guessed: {', '.join(doubtful)}", width, "")]
    if made.stale:
        lines += ["", *_wrapped(f"recorded, and named by none of these models: {', '.join(made.stale)}", width, "")]
    models = sorted({model for one in made.findings if one.state not in FINE for model in one.anchor.models})
    if models:
        lines += ["", *_wrapped(f"models to look at ({len(models)}): {', '.join(models)}", width, "")]
    return "\n".join(lines)


def _finding(one: Finding, width: int) -> Iterator[str]:
    where = "" if one.where in ((), (f"{one.anchor.file}:",)) else f" ({', '.join(one.where)})"
    yield from _wrapped(f"{one.anchor.name}{where}{f': {one.detail}' if one.detail else ''}", width, "  ")
    yield from _wrapped(f"in {_places(one.anchor)}", width, "    ")


def _places(anchor: Anchor) -> str:
    places = [f"{span.source.path}:{span.line}" for span in anchor.spans]
    left = len(places) - MODELS
    return ", ".join(places[:MODELS]) + (f" and {left} more places" if left > 0 else "")


def listing(found: Sequence[Anchor]) -> str:
    """The anchors alone, each with the number of models that come to it."""
    width = max((len(anchor.name) for anchor in found), default=0)
    rows = [f"{anchor.name:<{width}}  {len(anchor.models):>3} {'model' if len(anchor.models) == 1 else 'models'}" for anchor in found]
    return "\n".join([*rows, "", f"{len(found)} anchored functions; --source DIR looks at them"])


def recorded(found: Sequence[Found], path: str, version: str) -> str:
    """What was written down, and what could not be."""
    missing = [one.anchor.name for one in found if not one.definitions]
    kept = len(found) - len(missing)
    text = f"{path}: {kept} of {len(found)} anchored functions of {version or 'sources without a VERSION'}"
    return text + "".join(f"\n  not found: {name}" for name in missing)


def document(made: Comparison) -> dict[str, Any]:
    """The same as data; lists are whole."""
    return {
        "formal": __version__,
        "record": made.record,
        "recorded_version": made.before or None,
        "version": made.now or None,
        "same": made.same,
        "functions": [_row(one) for one in made.findings],
        "stale": list(made.stale),
        "models": sorted({model for one in made.findings if one.state not in FINE for model in one.anchor.models}),
    }


def _row(one: Finding) -> dict[str, Any]:
    return {**anchor_row(one.anchor), "state": one.state, "found": list(one.where), "doubtful": one.doubtful, "detail": one.detail or None}


def anchor_row(anchor: Anchor) -> dict[str, Any]:
    """An anchor as data."""
    return {
        "function": anchor.name,
        "places": [{"file": span.source.path, "line": span.line} for span in anchor.spans],
        "models": list(anchor.models),
    }


def warnings(made: Comparison) -> Iterator[tuple[str, int, str, str]]:
    """File, line, title and message for each place in a model that names a function that is not what it was."""
    for one in made.findings:
        if one.state not in FINE:
            where = f": now {', '.join(one.where)}" if one.where else ""
            for span in one.anchor.spans:
                detail = f"; {one.detail}" if one.detail else ""
                yield (
                    span.source.path,
                    span.line,
                    f"{one.anchor.name} {one.state}",
                    f"{one.anchor.name} {_TITLES[one.state]}{where}{detail}",
                )


def _wrapped(line: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        line, width, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False
    )
