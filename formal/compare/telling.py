"""A comparison for people. In: a comparison. Out: text that fits the width. Must not print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from formal.compare.comparison import Comparison, Told
from formal.compare.wording import first, later, needed, title, verdict
from formal.formats import Style
from formal.formats.tally import tally
from formal.formats.text import render_replay, verdict_words
from formal.verdict import PropertyResult, Report, Verdict


def text(found: Comparison, style: Style) -> str:
    """The verdicts, the changes with what each is needed for, the witnesses of BEFORE and where they end in AFTER."""
    return "\n".join(_lines(found, style))


def _lines(found: Comparison, style: Style) -> Iterator[str]:
    width = style.width
    yield from _wrapped(f"{found.before.model} -> {found.after.model}: {verdict(found)}", width, 0)
    for name, report in (("BEFORE", found.before), ("AFTER", found.after)):
        yield from _wrapped(f"{name}  {report.file}: {verdict_words(report.verdict, report.depth)}{_counted(report)}", width, 2)
    for line in found.wrong:
        yield from _wrapped(f"! {line}", width, 2)
    if style.quiet:
        return
    yield from _properties(found)
    yield from _changes(found, width)
    yield from _reverted(found, width)
    yield from _witnesses(found, style)
    certified = sorted({one.certificate for report in (found.before, found.after) for one in report.properties if one.certificate})
    if certified:
        yield from ("", "records")
        yield from (f"  `formal recheck {path}`" for path in certified)


def _counted(report: Report) -> str:
    return f" ({tally(report.properties)}; {report.seconds:.2f} s)"


def _properties(found: Comparison) -> Iterator[str]:
    """Where the two differ; the rest in one line."""
    before = {one.name: one for one in found.before.properties}
    after = {one.name: one for one in found.after.properties}
    rows = [
        (name, _verdict(before.get(name)), _verdict(after.get(name)))
        for name in dict.fromkeys((*before, *after))
        if _verdict(before.get(name)).partition(" in ")[0] != _verdict(after.get(name)).partition(" in ")[0]
    ]
    same = len(dict.fromkeys((*before, *after))) - len(rows)
    yield ""
    if rows:
        rows.insert(0, ("property", "BEFORE", "AFTER"))
        wide = [max(len(row[column]) for row in rows) for column in range(3)]
        yield from (f"  {row[0]:<{wide[0]}}  {row[1]:<{wide[1]}}  {row[2]}".rstrip() for row in rows)
    if same:
        yield f"  {same} {'other ' if rows else ''}{'properties come' if same > 1 else 'property comes'} out the same in both"


def _verdict(result: PropertyResult | None) -> str:
    if result is None:
        return "-"
    return result.verdict.replace("_", " ") + (f" in {result.depth}" if result.verdict is Verdict.VIOLATED else "")


def _changes(found: Comparison, width: int) -> Iterator[str]:
    yield from (
        "",
        f"changes ({len(found.changes)})" if found.changes else "the two models do the same: nothing differs but names and layout",
    )
    for number, change in enumerate(found.changes, 1):
        yield from _change(f"{number:>3}  {change.where}", change, width)
    if found.asked:
        yield from ("", "what is asked differs, too")
        for change in found.asked:
            yield from _change(f"     {change.where}", change, width)


def _change(head: str, change: Told, width: int) -> Iterator[str]:
    yield head
    for line in change.lines:
        told = f"     {line.sign} {line.text}"
        where = f"{line.source.file}:{line.source.line}" if line.source is not None and line.sign != " " else ""
        if len(told) + 2 + len(where) <= width:
            yield f"{told}  {where}".rstrip()
        else:
            yield from textwrap.wrap(told, width, subsequent_indent=" " * 11, break_on_hyphens=False, drop_whitespace=True)
            yield f"{' ' * 11}{where}".rstrip()


def _reverted(found: Comparison, width: int) -> Iterator[str]:
    if not found.reverted:
        return
    yield from ("", "AFTER with changes taken back")
    for one in found.reverted:
        yield from _wrapped(f"{title(found, one)}: {needed(one)}", width, 2)


def _witnesses(found: Comparison, style: Style) -> Iterator[str]:
    courses = {one.prop: one for one in found.courses}
    for result in found.before.properties:
        if result.witness is None:
            continue
        yield from ("", f"BEFORE: {render_replay(result.name, result.witness, style)}")
        course = courses.get(result.name)
        if course is not None:
            yield from ("", "this witness in AFTER")
            yield from _wrapped(first(course), style.width, 2)
            yield from (line for told in later(course) for line in _wrapped(told, style.width, 4))
    if style.unfold:
        for one in found.reverted:
            for result in one.broken[:1]:
                if result.witness is not None:
                    yield from ("", f"without {title(found, one)}: {render_replay(result.name, result.witness, style)}")


def _wrapped(line: str, width: int, indent: int) -> Sequence[str]:
    return textwrap.wrap(line, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4), break_on_hyphens=False)
