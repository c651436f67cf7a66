"""What the page says, as values for its template.

In: reports. Out: a `Page` and the data that the page's script steps through. Must not know HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from posixpath import normpath
from typing import Any

from formal.formats.html.diagram import diagram
from formal.formats.html.happenings import happenings
from formal.formats.html.reasons import Line, reasons
from formal.formats.html.shapes import Diagram
from formal.formats.html.timelines import Board, board, initial_state
from formal.formats.states import failing_step, threads
from formal.formats.tally import tally
from formal.formats.text import reproduce, verdict_words
from formal.resources import grammar_text
from formal.verdict import PropertyResult, Report, SourceRef, Verdict, Witness

_GLYPHS = {Verdict.PROVED: "\N{CHECK MARK}", Verdict.PROVED_UP_TO: "\N{LESS-THAN OR EQUAL TO}", Verdict.UNDECIDED: "?"}
_VIOLATED = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Row:
    """A property in the summary. `note`: the letter of the note that says why; `anchor`: of its witness, if there is one."""

    result: PropertyResult
    verdict: str
    glyph: str
    note: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Note:
    letter: str
    text: str


@dataclass(frozen=True, slots=True)
class Violation:
    """One witness. `files`: those that its steps are in, by their place in the data, with the number of such steps; `locks`: those held in
    it, by their colours."""

    anchor: str
    result: PropertyResult
    witness: Witness
    size: str
    why: tuple[Line, ...]
    command: str
    diagram: Diagram
    board: Board
    locks: tuple[str, ...]
    reads: bool
    bottom_halves: bool
    semaphores: bool
    files: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One report."""

    anchor: str
    report: Report
    headline: str
    counts: str
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    rests: tuple[str, ...]
    certificates: tuple[str, ...]
    violations: tuple[Violation, ...]


@dataclass(slots=True)
class Page:
    """`data`: what the script needs, as JSON can say it."""

    title: str
    sections: list[Section] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def page(reports: Sequence[Report], *, witnesses: bool) -> Page:
    """The page of these reports. `witnesses`: with their violations shown."""
    builder = _Builder()
    sections = [builder.section(number, report, witnesses=witnesses) for number, report in enumerate(reports, 1)]
    title = "; ".join(f"{report.model}: {report.verdict.replace('_', ' ')}" for report in reports)
    keywords = sorted(set(re.findall(r'"([a-z_]+)"', grammar_text())))
    return Page(title, sections, {"keywords": keywords, "files": builder.files, "witnesses": builder.witnesses})


class _Builder:
    """Collects the data while sections are made. A file that several reports have read is told once."""

    def __init__(self) -> None:
        self.files: list[dict[str, str]] = []
        self.witnesses: dict[str, Any] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._anchors = 0

    def section(self, number: int, report: Report, *, witnesses: bool) -> Section:
        """One report's part of the page."""
        violations = []
        if witnesses:
            files = {source.path: self._file(source.path, source.text) for source in report.sources}
            for result in report.properties:
                if result.witness is not None:
                    violations.append(self._violation(report, result, result.witness, files))
        anchors = {one.result.name: one.anchor for one in violations}
        notes = _notes(report)
        letters = {note.text: note.letter for note in notes}
        rows = tuple(
            Row(
                result,
                result.verdict.replace("_", " "),
                _GLYPHS.get(result.verdict, _VIOLATED),
                letters.get(result.reason, ""),
                anchors.get(result.name, ""),
            )
            for result in report.properties
        )
        words = verdict_words(report.verdict, report.depth)
        records = tuple(sorted({result.certificate for result in report.properties if result.certificate}))
        return Section(f"r{number}", report, words, _counts(report), rows, notes, _rests(report), records, tuple(violations))

    def _file(self, path: str, text: str) -> int:
        number = self._numbers.setdefault((path, text), len(self.files))
        if number == len(self.files):
            self.files.append({"path": path, "text": text})
        return number

    def _violation(self, report: Report, result: PropertyResult, witness: Witness, files: dict[str, int]) -> Violation:
        self._anchors += 1
        anchor = f"w{self._anchors}"
        initial = initial_state(witness)
        found = happenings(witness, initial)
        cells = board(witness, initial, found, ends_in_error=failing_step(result) is not None)
        drawn = diagram(witness, found, threads(witness), result.name)
        self.witnesses[anchor] = _data(witness, cells, files)
        length = _count(len(witness.steps), "step", "steps")
        size = f"{length}, {_count(witness.context_switches, 'context switch', 'context switches')}"
        visits = tuple((number, normpath(path), sum(step.source.file == path for step in witness.steps)) for path, number in files.items())
        command = reproduce(report, result)
        return Violation(
            anchor,
            result,
            witness,
            size,
            reasons(witness),
            command,
            drawn,
            cells,
            found.locks,
            any(hold.reading for hold in found.holds),
            any(link.kind == "bh" for link in found.links),
            any(link.kind == "sem" and link.end is not None for link in found.links),
            visits,
        )


def _data(witness: Witness, cells: Board, files: dict[str, int]) -> dict[str, Any]:
    derived = {cell.number for one in cells.threads for cell in (one.holds, one.at, one.stack)}
    return {
        "cells": [cell.timeline for cell in cells.cells],
        "names": [None if cell.number in derived else cell.name for cell in cells.cells],
        "keys": list(witness.key_steps),
        "steps": [
            {
                "thread": step.thread,
                "statement": step.statement,
                "file": files.get(step.source.file, -1),
                "place": place(step.source),
                "line": step.source.line,
                "c": step.c_source,
                "stack": list(step.stack),
            }
            for step in witness.steps
        ],
    }


def _notes(report: Report) -> tuple[Note, ...]:
    """Each reason once, lettered. Spreadsheets' way of counting: a to z, then aa."""
    texts = dict.fromkeys(result.reason for result in report.properties if result.reason)
    return tuple(Note(_letters(number), text) for number, text in enumerate(texts))


def _letters(number: int) -> str:
    word = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        word = chr(ord("a") + digit) + word
    return word


def _rests(report: Report) -> tuple[str, ...]:
    bound = (
        () if report.depth is None else (f"executions of at most {_count(report.depth, 'step', 'steps')}: longer ones were not looked at",)
    )
    return (*bound, *report.assumptions)


def _counts(report: Report) -> str:
    return f"{_count(len(report.properties), 'property', 'properties')}: {tally(report.properties)}"


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def place(source: SourceRef | None) -> str:
    """A place in a model. The path of an import is shown without the way that led there."""
    return "" if source is None else f"{normpath(source.file)}:{source.line}"


def value(given: int | bool | str) -> str:
    """A parameter as the language spells it."""
    return str(given).lower() if isinstance(given, bool) else str(given)


def figure(given: int | float | str) -> str:
    """A figure of the engines."""
    if isinstance(given, str):
        return given
    return f"{given:,.3f}" if isinstance(given, float) else f"{given:,}"
