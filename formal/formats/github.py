"""Reports as GitHub's workflow commands, which a run shows as annotations on the files of a pull request.

In: reports. Out: a line for each violated property (error) and each undecided one (warning), and one for each model (notice) that says how
it came out. A proof says nothing by itself: GitHub shows ten annotations of a kind and step.

Source: "Workflow commands for GitHub Actions", setting a notice, warning or error message.
"""

from __future__ import annotations

from collections.abc import Sequence

from formal.formats import Style
from formal.formats.places import relative
from formal.formats.states import place
from formal.formats.tally import tally
from formal.formats.text import verdict_words
from formal.verdict import PropertyResult, Report, Verdict

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def render(reports: Sequence[Report], _style: Style) -> str:
    """The lines."""
    return "\n".join(line for report in reports for line in (*_findings(report), _summary(report)))


def annotation(level: str, file: str | None, line: int | None, title: str, message: str) -> str:
    """One workflow command. `level`: error, warning or notice; `line` 1-based, None for the whole file; no file: the whole job."""
    places = ({} if file is None else {"file": relative(file)}) | ({} if line is None else {"line": str(line)})
    told = ",".join(f"{key}={_escape(value, _PROPERTY)}" for key, value in {**places, "title": title}.items())
    return f"::{level} {told}::{_escape(message, _DATA)}"


def _findings(report: Report) -> list[str]:
    found = []
    for result in report.properties:
        if result.verdict is Verdict.VIOLATED:
            found.append(_finding(report, result, "error", "is violated", _how(result)))
        elif result.verdict is Verdict.UNDECIDED:
            found.append(_finding(report, result, "warning", "is undecided", result.reason))
    return found


def _finding(report: Report, result: PropertyResult, level: str, verdict: str, message: str) -> str:
    at = place(result)
    file, line = (report.file, None) if at is None else (at.file, at.line)
    return annotation(level, file, line, f"{report.model}: {result.name} {verdict}", message)


def _how(result: PropertyResult) -> str:
    """The explanation, and how long the run is that shows it."""
    if result.witness is None:
        return result.reason
    steps, switches = len(result.witness.steps), result.witness.context_switches
    return f"{result.witness.explanation}\n({steps} steps, {switches} context switches)"


def _summary(report: Report) -> str:
    title = f"{report.model}: {verdict_words(report.verdict, report.depth)}"
    return annotation("notice", report.file, None, title, f"{tally(report.properties)} ({report.seconds:.2f} s)")


def _escape(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(one, one) for one in text)
