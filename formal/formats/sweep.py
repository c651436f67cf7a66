"""A sweep as a table for people, as CSV, and as JSON.

In: the axes and what became of each point. Out: text. It must not know how points are proved.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from formal import __version__
from formal.formats import Style
from formal.formats.json import report_document
from formal.sweep import Axis, Point, counts
from formal.verdict import PropertyResult, Verdict

Render: TypeAlias = Callable[[Sequence[Axis], Sequence[Point], float, Style], str]
_COLOURS: Final = {"proved": "green", "proved_up_to": "cyan", "violated": "bold red", "undecided": "yellow", "refused": "dim"}


def text(axes: Sequence[Axis], points: Sequence[Point], seconds: float, style: Style) -> str:
    """A table for each model. `seconds`: of the whole sweep."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(
        file=io.StringIO(),
        width=style.width,
        force_terminal=style.colour,
        color_system="standard" if style.colour else None,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as capture:
        for file, group in groupby(points, lambda point: point.file):
            rows = list(group)
            swept = ", ".join(f"{axis.name} = {axis.word}" for axis in axes)
            console.print(Text(f"{file}: {swept}", style="bold"), soft_wrap=True)
            console.print()
            heads = ("verdict", "seconds", *(["then"] if _cached(rows) else []), "states", "engine", "violated")
            table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
            for axis in axes:
                table.add_column(axis.name, justify="right", no_wrap=True)
            for head in heads:
                table.add_column(head, justify="right" if head in ("seconds", "then", "states") else "left", overflow="fold")
            for point in rows:
                cells = _cells(point)
                words = Text(cells["verdict"], style=_COLOURS.get(point.state, "bold"))
                table.add_row(*map(Text, point.values), words, *(Text(cells[head]) for head in heads[1:]))
            console.print(table)
            if not style.quiet:
                for line in _below(axes, rows):
                    console.print(Text(line), soft_wrap=True)
            console.print()
        console.print(Text(f"{len(points)} points: {counts(points)}; {seconds:.2f} s"), soft_wrap=True)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _cached(points: Sequence[Point]) -> bool:
    return any(point.then is not None for point in points)


def _cells(point: Point) -> dict[str, str]:
    report = point.report
    verdict = point.state.replace("_", " ")
    if report is not None and report.verdict is Verdict.PROVED_UP_TO:
        verdict = f"none within {report.depth} steps"
    return {
        "verdict": verdict,
        "seconds": "" if point.seconds is None else f"{point.seconds:.2f}",
        "then": "" if point.then is None else f"{point.then:.2f}",
        "states": "" if point.states is None else f"{point.states:,}",
        "engine": "" if report is None else ", ".join(dict.fromkeys(one.engine for one in report.properties if one.engine)),
        "violated": ", ".join(f"{one.name} ({one.depth} steps)" for one in _violated(point)),
    }


def _violated(point: Point) -> list[PropertyResult]:
    return [] if point.report is None else [one for one in point.report.properties if one.verdict is Verdict.VIOLATED]


def _below(axes: Sequence[Axis], points: Sequence[Point]) -> list[str]:
    """What a table leaves open: how to see the first violation, why points are undecided."""
    lines = []
    for point in points:
        where = ", ".join(f"{axis.name} = {value}" for axis, value in zip(axes, point.values, strict=True))
        open_ = [] if point.report is None else [one for one in point.report.properties if one.verdict is Verdict.UNDECIDED]
        reasons = dict.fromkeys(one.reason for one in open_)
        lines += [f"{where}: {len(open_)} undecided: {reason}" for reason in reasons]
    first = next((point for point in points if _violated(point)), None)
    if first is not None and first.report is not None:
        words = ["formal", "prove", first.file]
        for name, value in first.report.defines.items():
            words += ["-D", f"{name}={value}"]
        for path in first.report.extra:
            words += ["--with", path]
        lines.append(f"the first violation, step by step: {shlex.join(words)}")
    return ["", *lines] if lines else []


def table(axes: Sequence[Axis], points: Sequence[Point], _seconds: float, _style: Style) -> str:
    """CSV: a head, then a line for each point, without a newline at the end. Seconds are plain numbers; what is unknown is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file", *(axis.name for axis in axes), "verdict", "seconds", "seconds_then", "states", "engine", "violated"])
    for point in points:
        cells = _cells(point)
        figures = ["" if one is None else round(one, 3) for one in (point.seconds, point.then)]
        states = "" if point.states is None else point.states
        names = " ".join(one.name for one in _violated(point))
        writer.writerow([point.file, *point.values, point.state, *figures, states, cells["engine"].replace(",", ""), names])
    return stream.getvalue().removesuffix("\n")


def document(axes: Sequence[Axis], points: Sequence[Point], seconds: float, style: Style) -> str:
    """JSON: each point with the document of its report."""
    swept = {axis.name: list(axis.values) for axis in axes}
    told = [_point(axes, point, style) for point in points]
    return json.dumps({"formal": __version__, "sweep": swept, "seconds": round(seconds, 3), "points": told}, indent=1, ensure_ascii=False)


def _point(axes: Sequence[Axis], point: Point, style: Style) -> dict[str, Any]:
    return {
        "file": point.file,
        "at": {axis.name: value for axis, value in zip(axes, point.values, strict=True)},
        "verdict": point.state,
        "seconds": None if point.seconds is None else round(point.seconds, 3),
        "seconds_then": point.then,
        "states": point.states,
        "problems": list(point.problems),
        "report": None if point.report is None else report_document(point.report, style),
    }


FORMATS: Final[Mapping[str, Render]] = MappingProxyType({"text": text, "json": document, "csv": table})
