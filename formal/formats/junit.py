"""Reports as JUnit XML, which GitLab, Jenkins and others show as tests: a suite a model, a case a property.

In: reports. Out: one XML document, as the Jenkins schema (junit-10.xsd) has it. A violation is a failure with its witness as text; what is
undecided is an error, since a skipped case looks fine; a bounded result passes, and says its bound. The engines settle the properties of a
model together: each case has an equal share of the time, so that sums are right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from formal import __version__
from formal.formats import Style
from formal.formats.text import render_replay, verdict_words
from formal.verdict import PropertyResult, Report, Verdict

_WIDTH = 100  # columns of a witness
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. `state`: "passed", "failure" or "error"; `kind` and `message` say which and why in a line, `body` in full."""

    suite: str
    name: str
    seconds: float
    state: str = "passed"
    kind: str = ""
    message: str = ""
    body: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases that belong together. `facts` become its properties."""

    name: str
    cases: Sequence[Case]
    seconds: float
    file: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    output: str = ""


def render(reports: Sequence[Report], style: Style) -> str:
    """The document. `style` only says whether witnesses show every step."""
    names = Counter(report.model for report in reports)
    drawn = Style(_WIDTH, unfold=style.unfold)
    return document([_suite(report, report.model if names[report.model] == 1 else report.file, drawn) for report in reports])


def document(suites: Sequence[Suite]) -> str:
    """The XML of some suites. What XML cannot hold is shown as U+FFFD."""
    counts = _counts([case for suite in suites for case in suite.cases])
    root = ElementTree.Element("testsuites", {"name": "formal", **counts, "time": _time(sum(suite.seconds for suite in suites))})
    for suite in suites:
        _add(root, suite)
    for element in root.iter():
        element.text = None if element.text is None else legal(element.text)
        element.attrib.update({name: legal(value) for name, value in element.attrib.items()})
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def legal(text: str) -> str:
    """The text with U+FFFD for every character that XML 1.0 has no way to write."""
    return _ILLEGAL.sub("\ufffd", text)


def _suite(report: Report, name: str, style: Style) -> Suite:
    share = report.seconds / max(1, len(report.properties))
    facts = {
        "formal": __version__,
        "digest": report.digest,
        "verdict": verdict_words(report.verdict, report.depth),
        **{f"parameter {key}": str(value).lower() if isinstance(value, bool) else str(value) for key, value in report.parameters.items()},
    }
    said = [f"rests on: {one}" for one in report.assumptions] + [f"warning: {one}" for one in report.warnings]
    cases = [_case(result, name, share, style) for result in report.properties]
    return Suite(name, cases, report.seconds, report.file, facts, "\n".join(said))


def _case(result: PropertyResult, suite: str, seconds: float, style: Style) -> Case:
    where = "" if result.source is None else f"declared at {result.source.file}:{result.source.line}\n"
    match result.verdict:
        case Verdict.VIOLATED:
            steps = f"{result.name} is violated after {result.depth} steps"
            body = "" if result.witness is None else render_replay(result.name, result.witness, style)
            return Case(suite, result.name, seconds, "failure", result.kind, steps, where + body)
        case Verdict.UNDECIDED:
            told = f"{result.name} is undecided: {result.reason}"
            return Case(suite, result.name, seconds, "error", "undecided", told, where + told)
        case _:
            words = verdict_words(result.verdict, result.depth)
            because = ": ".join(part for part in (words, result.reason) if part)
            return Case(suite, result.name, seconds, output=because + (f" ({result.engine})" if result.engine else ""))


def _add(root: ElementTree.Element, suite: Suite) -> None:
    attributes = {"name": suite.name, **_counts(suite.cases), "skipped": "0", "time": _time(suite.seconds)}
    element = ElementTree.SubElement(root, "testsuite", attributes)
    if suite.file is not None:
        element.set("file", suite.file)
    if suite.facts:
        properties = ElementTree.SubElement(element, "properties")
        for name, value in suite.facts.items():
            ElementTree.SubElement(properties, "property", name=name, value=value)
    for case in suite.cases:
        one = ElementTree.SubElement(element, "testcase", classname=case.suite, name=case.name, time=_time(case.seconds))
        if case.state != "passed":
            ElementTree.SubElement(one, case.state, type=case.kind, message=case.message).text = case.body
        if case.output:
            ElementTree.SubElement(one, "system-out").text = case.output
    if suite.output:
        ElementTree.SubElement(element, "system-out").text = suite.output


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    states = Counter(case.state for case in cases)
    return {"tests": str(len(cases)), "failures": str(states["failure"]), "errors": str(states["error"])}


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"
