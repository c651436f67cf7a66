"""Reports for people: the verdict, a table of properties, what the verdict rests on, and every witness.

In: reports. Out: text that fits the width, plain ASCII but for what the model itself says. It must not print, and knows nothing of streams.
"""

from __future__ import annotations

import io
import shlex
import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from formal.formats import Style
from formal.formats.tally import tally
from formal.formats.vacuity import lines as vacuity
from formal.formats.witness import draw
from formal.formats.witness_why import lines as why
from formal.formats.witness_words import ascii_only
from formal.verdict import PropertyResult, Report, Verdict, Witness

_COLOURS = {Verdict.PROVED: "green", Verdict.PROVED_UP_TO: "cyan", Verdict.VIOLATED: "bold red", Verdict.UNDECIDED: "yellow"}


def render(reports: Sequence[Report], style: Style) -> str:
    """All the reports, one below the other."""
    console = _console(style)
    with console.capture() as capture:
        for position, report in enumerate(reports):
            if position and not style.quiet:
                console.print("-" * style.width)
            if style.quiet:
                _summary(console, report)
            else:
                _report(console, report, style)
    return _trimmed(capture.get())


def render_replay(prop: str, witness: Witness, style: Style) -> str:
    """A witness by itself, as the interpreter ran it."""
    console = _console(style)
    with console.capture() as capture:
        console.print(Text(f"{prop} is violated", style=_COLOURS[Verdict.VIOLATED]).append(_size(witness)))
        _witness(console, prop, witness, style)
    return _trimmed(capture.get())


def _console(style: Style) -> Console:
    return Console(
        file=io.StringIO(),
        width=style.width,
        force_terminal=style.colour,
        color_system="standard" if style.colour else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def _report(console: Console, report: Report, style: Style) -> None:
    console.print(Text(report.model, style="bold").append(f": {report.title}" if report.title else "", style="not bold"))
    _summary(console, report)
    _parameters(console, report)
    console.print()
    console.print(Padding(_properties(report), (0, 0, 0, 2)))
    _reasons(console, report)
    _outline(console, report)
    _list(console, "could it fail, and what the proof needs", list(vacuity(report.vacuity)))
    _list(console, "certificate", sorted({f"`formal recheck {one.certificate}`" for one in report.properties if one.certificate}))
    _list(console, "the verdict rests on", report.assumptions)
    _list(console, "warnings", report.warnings)
    for result in report.properties:
        if result.witness is not None:
            _violation(console, report, result, result.witness, style)
    if style.statistics:
        _list(console, "statistics", [f"{name}: {_figure(value)}" for name, value in report.statistics.items()])


def _summary(console: Console, report: Report) -> None:
    line = Text(f"{report.file}: ")
    line.append(verdict_words(report.verdict, report.depth), style=_COLOURS[report.verdict])
    line.append(f" ({tally(report.properties)}; {report.seconds:.2f} s{_cached(report)})")
    console.print(line, soft_wrap=True)


def _cached(report: Report) -> str:
    """How many of the verdicts come from the cache, and what they took when they were found."""
    then = [result.then for result in report.properties if result.then is not None]
    if not then:
        return ""
    return f"; {'all' if len(then) == len(report.properties) else len(then)} cached, {max(then):.2f} s then"


def _parameters(console: Console, report: Report) -> None:
    if report.parameters:
        values = ", ".join(f"{name} = {_value(value)}" for name, value in report.parameters.items())
        console.print(Padding(Text(f"with {values}"), (0, 0, 0, 2)))


def verdict_words(verdict: Verdict, depth: int | None) -> str:
    """A verdict as people read it: a bounded one always names its bound."""
    match verdict:
        case Verdict.PROVED_UP_TO:
            return f"no violation within {depth} steps (not a proof)"
        case Verdict.PROVED:
            return "proved"
        case _:
            return verdict.value


def _properties(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("property", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("steps", justify="right", no_wrap=True)
    table.add_column("engine", no_wrap=True)
    for result in report.properties:
        words = result.verdict.replace("_", " ")
        depth = "" if result.depth is None else str(result.depth)
        table.add_row(Text(result.name), Text(words, style=_COLOURS[result.verdict]), depth, result.engine)
    return table


def _reasons(console: Console, report: Report) -> None:
    """Why, told once for all the properties that share the reason. A witness speaks for itself."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for result in report.properties:
        if result.reason and result.verdict is not Verdict.VIOLATED:
            key = (result.verdict.replace("_", " "), result.engine, result.reason)
            groups.setdefault(key, []).append(result.name)
    lines = []
    for (verdict, engine, reason), names in groups.items():
        who = "" if len(groups) == 1 and len(names) == len(report.properties) else f" {_some(names)}"
        lines.append(f"{verdict}{who}: {reason}{f' ({engine})' if engine else ''}")
    _list(console, "why", lines)


def _outline(console: Console, report: Report) -> None:
    """What holds where: each line hangs from its first words."""
    if not report.invariant:
        return
    known = f"{len(report.follows)} of {len(report.properties)} properties follow from it alone"
    console.print(f"\nwhat holds where (an inductive invariant, proved in one step; {known})", soft_wrap=False)
    for line in report.invariant:
        console.print(Text("\n".join(textwrap.wrap(line, console.width - 2, initial_indent="  ", subsequent_indent="      "))))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _list(console: Console, head: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.print(f"\n{head}")
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 2)))


def _violation(console: Console, report: Report, result: PropertyResult, witness: Witness, style: Style) -> None:
    console.print(Text("\n").append(f"{result.name} is violated", style=_COLOURS[Verdict.VIOLATED]).append(_size(witness)))
    if result.source is not None:
        console.print(Padding(Text(f"declared at {result.source.file}:{result.source.line}"), (0, 0, 0, 2)))
    _witness(console, result.name, witness, style)
    console.print()
    console.print(Text(f"  again: {reproduce(report, result)}", style="dim"), soft_wrap=True)


def _size(witness: Witness) -> str:
    switches = _count(witness.context_switches, "context switch", "es")
    return f" after {_count(len(witness.steps), 'step')}, {switches}"


def _witness(console: Console, prop: str, witness: Witness, style: Style) -> None:
    console.print()
    if witness.steps:
        console.print(draw(witness, prop, style.width, unfold=style.unfold), soft_wrap=True)
        console.print()
    console.print(Padding(Text(ascii_only(witness.explanation)), (0, 0, 0, 2)))
    evidence = why(witness, style.width)
    if evidence:
        console.print("\nwhy")
        console.print(Text("\n".join(evidence)), soft_wrap=True)


def reproduce(report: Report, result: PropertyResult) -> str:
    """The command that finds this violation again."""
    words = ["formal", "prove", report.file, "--property", result.name]
    for name, value in report.defines.items():
        words += ["-D", f"{name}={value}"]
    for path in report.extra:
        words += ["--with", path]
    if report.contract:
        words += ["--contract", *([] if report.around is None else ["--around", report.around])]
    return shlex.join(words)


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{plural}"


def _value(value: int | bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _figure(value: int | float | str) -> str:
    match value:
        case str():
            return value
        case float():
            return f"{value:,.3f}"
        case _:
            return f"{value:,}"
