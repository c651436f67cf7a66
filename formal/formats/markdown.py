"""What came out, as a table in Markdown, for the summary of a CI job.

In: reports, or how the models of a regression fared. Out: text that GitHub and GitLab draw. Whatever a model says is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from formal.formats.judged import AS_RECORDED, Judged, in_words
from formal.formats.tally import tally
from formal.formats.text import reproduce, verdict_words
from formal.verdict import PropertyResult, Report, Verdict

_MARKS = {Verdict.PROVED: "✅", Verdict.PROVED_UP_TO: "☑️", Verdict.VIOLATED: "❌", Verdict.UNDECIDED: "⚠️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")


def proved(reports: Sequence[Report]) -> str:
    """A row a model; below it each property that is not proved, and the command that shows a violation again."""
    rows = [
        (
            _MARKS[one.verdict],
            _plain(one.file),
            _plain(verdict_words(one.verdict, one.depth)),
            tally(one.properties),
            f"{one.seconds:.2f} s",
        )
        for one in reports
    ]
    parts = ["### formal prove", "", *_table(("", "model", "verdict", "properties", "time"), rows)]
    for report in reports:
        parts += [line for one in report.properties if (line := _open(report, one))]
    return "\n".join(parts) + "\n"


def regressed(rows: Sequence[Judged], summary: str) -> str:
    """The counts, and a row for each that is not as recorded."""
    wrong = [row for row in rows if row.state != AS_RECORDED]
    cells = [
        (
            "❌",
            _plain(row.file),
            row.state,
            _plain(in_words(row)),
            "<br>".join(_plain(one) for problem in row.problems for one in problem.splitlines()),
        )
        for row in wrong
    ]
    table = ["", *_table(("", "file", "", "verdict", "why"), cells)] if wrong else []
    return "\n".join(["### formal regress", "", f"{'❌' if wrong else '✅'} {_plain(summary)}", *table]) + "\n"


def _open(report: Report, result: PropertyResult) -> str:
    if result.witness is not None:
        told = f"{_plain(result.witness.explanation)}<br>`` {reproduce(report, result)} ``"
        return f"\n{_MARKS[result.verdict]} **{_plain(result.name)}** is violated after {result.depth} steps. {told}"
    if result.verdict is Verdict.UNDECIDED:
        return f"\n{_MARKS[result.verdict]} **{_plain(result.name)}** is undecided: {_plain(result.reason)}"
    return ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
