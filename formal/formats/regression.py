"""What `formal regress` found, in the formats that machines read: JUnit XML, SARIF, GitHub's annotations.

In: how each model and record fared. Out: text. Only what is not as recorded is a finding. It must not know how models are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, TypeAlias

from formal.formats import github, junit, sarif
from formal.formats.judged import AS_RECORDED, INTERRUPTED, Judged, in_words

# What each state means, and whether it says nothing about the model: an error, where JUnit tells errors from failures.
_STATES: Final[Mapping[str, tuple[str, bool]]] = MappingProxyType(
    {
        "differs": ("The verdict is not the one that the model's `expect`, or its record, names.", False),
        "missing": ("The model is proved or violated as expected, and has no record that shows it.", False),
        "stale": ("The record is of another version of the model.", False),
        "no model": ("The record's model is not there.", False),
        "bad record": ("The record cannot be read.", True),
        "bad model": ("The model has an error, so that nothing about it is known.", True),
        "internal error": ("The tool broke down, or two independent ways disagree.", True),
        INTERRUPTED: ("The command was interrupted before it was looked at.", True),
    }
)


def as_junit(rows: Sequence[Judged], summary: str) -> str:
    """A suite a folder, a case a model or record."""
    folders = dict.fromkeys(str(PurePath(row.file).parent) for row in rows)
    suites = []
    for folder in folders:
        cases = [_case(row, folder) for row in rows if str(PurePath(row.file).parent) == folder]
        suites.append(junit.Suite(folder, cases, sum(case.seconds for case in cases)))
    if suites:
        suites[-1] = junit.Suite(suites[-1].name, suites[-1].cases, suites[-1].seconds, output=summary)
    return junit.document(suites)


def _case(row: Judged, folder: str) -> junit.Case:
    name = PurePath(row.file).name
    if row.state == AS_RECORDED:
        return junit.Case(folder, name, row.seconds, output=in_words(row))
    state = "error" if _STATES[row.state][1] else "failure"
    message = f"{row.state}: {in_words(row)}"
    return junit.Case(folder, name, row.seconds, state, row.state, message, "\n".join((message, *row.problems)))


def as_sarif(rows: Sequence[Judged], summary: str) -> str:
    """A result for each that is not as recorded; a rule for each state."""
    wrong = [row for row in rows if row.state != AS_RECORDED]
    rules = {f"regress/{row.state.replace(' ', '-')}": _STATES[row.state][0] for row in wrong}
    results = []
    for row in wrong:
        rule = f"regress/{row.state.replace(' ', '-')}"
        told = "\n".join((f"{row.state}: {in_words(row)}", *row.problems))
        results.append(sarif.finding(rule, [*rules].index(rule), told, row.file))
    judged = [{"file": row.file, "state": row.state, "verdict": row.verdict, "seconds": round(row.seconds, 3)} for row in rows]
    files = [row.file for row in rows]
    return sarif.document(rules=rules, results=results, notifications=(), files=files, properties={"summary": summary, "models": judged})


def as_github(rows: Sequence[Judged], summary: str) -> str:
    """An error for each that is not as recorded, and a notice with the counts."""
    wrong = [row for row in rows if row.state != AS_RECORDED]
    lines = [github.annotation("error", row.file, None, row.state, "\n".join((in_words(row), *row.problems))) for row in wrong]
    return "\n".join([*lines, github.annotation("notice", None, None, "formal regress", summary)])


Render: TypeAlias = Callable[[Sequence[Judged], str], str]
FORMATS: Final[Mapping[str, Render]] = MappingProxyType({"junit": as_junit, "sarif": as_sarif, "github": as_github})
