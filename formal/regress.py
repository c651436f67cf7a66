"""A model held to its own `expect`.

In: what a model expects, and the report of proving it. Out: how they differ, as lines of text; nothing when all is as recorded. It must not
read files, run anything, or print.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from formal.program import Expectation
from formal.verdict import PropertyResult, Report, Verdict

_NOISE = re.compile(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_HEAD = re.compile(r"(?<![A-Za-z0-9_])protocol(?![A-Za-z0-9_])")


def is_protocol(text: str) -> bool:
    """Whether a model file is one to prove, and not a part that others import: it has a `protocol` head outside comments and strings."""
    return _HEAD.search(_NOISE.sub(" ", text)) is not None


def depth_for(expectations: Sequence[Expectation]) -> int | None:
    """How deep to look: as deep as `expect proved up to K` asks for; without one, until everything is settled."""
    bounds = [one.bound for one in expectations if one.verdict == "proved_up_to" and one.bound is not None]
    return max(bounds, default=None)


def differences(expectations: Sequence[Expectation], report: Report) -> tuple[str, ...]:
    """How the report differs from what is expected; empty when nothing does."""
    if not expectations:
        return ("it has no `expect`",)
    listed = {one.prop: one for one in expectations if one.verdict == "violated" and one.prop is not None}
    found = [*_unlisted(listed, report), *_violations(listed, report)]
    if any(one.verdict == "proved" for one in expectations):
        found += _unproved(listed, report, Verdict.PROVED)
    elif any(one.verdict == "proved_up_to" for one in expectations):
        found += _unproved(listed, report, Verdict.PROVED, Verdict.PROVED_UP_TO)
    return tuple(found)


def expected(expectations: Sequence[Expectation]) -> str:
    """What is expected, in one line."""
    return ", ".join(_spelled(one) for one in expectations) or "nothing"


def _spelled(one: Expectation) -> str:
    match one.verdict:
        case "proved":
            return "proved"
        case "proved_up_to":
            return f"proved up to {one.bound}"
        case "violated":
            return f"violated {one.prop}" + ("" if one.bound is None else f" within {one.bound}")


def _unlisted(listed: dict[str, Expectation], report: Report) -> Iterator[str]:
    for result in report.properties:
        if result.verdict is Verdict.VIOLATED and result.name not in listed:
            yield f"{result.name} is violated after {result.depth} steps, which is not expected"


def _violations(listed: dict[str, Expectation], report: Report) -> Iterator[str]:
    results = {result.name: result for result in report.properties}
    for name, one in listed.items():
        result = results.get(name)
        if result is None:
            yield f"{name} is expected to be violated, and is not among the properties"
        elif result.verdict is not Verdict.VIOLATED:
            yield f"{name} is expected to be violated, and is {_told(result)}"
        elif one.bound is not None and result.depth is not None and result.depth > one.bound:
            yield f"{name} is expected to be violated within {one.bound} steps, and takes {result.depth}"


def _unproved(listed: dict[str, Expectation], report: Report, *enough: Verdict) -> Iterator[str]:
    for result in report.properties:
        if result.verdict not in (*enough, Verdict.VIOLATED) and result.name not in listed:
            yield f"{result.name} is expected to be proved, and is {_told(result)}"


def _told(result: PropertyResult) -> str:
    words = result.verdict.replace("_", " ")
    return f"{words} ({result.reason})" if result.verdict is Verdict.UNDECIDED else words
