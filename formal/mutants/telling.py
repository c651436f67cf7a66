"""A study for people. In: a study. Out: text that fits the width. Must not print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from formal.mutants.judging import Fate
from formal.mutants.study import Entry, Study

_WORDS = {"killed": "killed", "equivalent": "equivalent", "survives": "survive", "undecided": "undecided", "timeout": "out of time"}


def text(found: Study, width: int, *, everything: bool, quiet: bool) -> str:
    """The counts, which property notices how much, and what is left to look at."""
    return "\n".join(_lines(found, width, everything=everything, quiet=quiet))


def _lines(found: Study, width: int, *, everything: bool, quiet: bool) -> Iterator[str]:
    yield from _summary(found, width)
    if not quiet:
        yield from _properties(found, width)
    if everything:
        yield from _entries("noticed", [one for one in found.entries if one.fate.state == "killed"], width)
        yield from _entries("equivalent", [one for one in found.entries if one.fate.state == "equivalent"], width)
        yield from _entries("refused by the front end", [one for one in found.entries if one.fate.state == "refused"], width)
    if not quiet:
        yield from _entries("explained", [one for one in found.entries if one.why], width)
    yield from _entries("not known", found.open(), width)
    yield from _entries("survivors, to look at", found.survivors(explained=False), width)
    if found.stale:
        yield from ("", "stale explanations: no survivor has this name (an error)")
        yield from (line for one in found.stale for line in _wrapped(f"{one.place}: {one.text}", width))
    if found.interrupted:
        yield from ("", "interrupted: not every mutant was looked at")


def _summary(found: Study, width: int) -> Iterator[str]:
    program, counts = found.program, found.counts()
    yield f"{program.name}: {program.title}" if program.title else program.name
    told = ", ".join(f"{counts[state]} {words}" for state, words in _WORDS.items() if counts[state])
    looked = len(found.entries) - counts["refused"]
    sample = f" of {found.total}" if looked + counts["refused"] < found.total else ""
    yield from _hanging(f"{program.file}: {looked} mutants{sample}: {told or 'none'} ({found.seconds:.1f} s)", width)
    if counts["refused"]:
        yield from _hanging(f"  left out: {counts['refused']} more that the front end refuses", width)
    for model in found.beside:
        if model.noticed:
            yield from _hanging(f"  killed: {model.noticed} of them by {model.file}, beside it", width)
    reasons = [one.fate.reason for one in found.entries if one.fate.state == "equivalent"]
    for reason in sorted(set(reasons), key=reasons.count, reverse=True):
        yield from _hanging(f"  equivalent: {reasons.count(reason)}, {reason}", width)


def _properties(found: Study, width: int) -> Iterator[str]:
    """A table: what each property notices."""
    rows = [(one.prop, str(one.first), str(one.alone), "" if one.steps is None else str(one.steps)) for one in found.noticed if one.first]
    if rows:
        rows.insert(0, ("noticed by", "first", "alone", "fewest steps"))
        wide = [max(len(row[column]) for row in rows) for column in range(4)]
        yield ""
        for row in rows:
            yield f"  {row[0]:<{wide[0]}}  {row[1]:>{wide[1]}}  {row[2]:>{wide[2]}}  {row[3]:>{wide[3]}}"
    silent = [one.prop for one in found.noticed if not one.first]
    if silent:
        yield ""
        yield from _hanging(f"notice no mutant before others do: {', '.join(silent)}", width)


def _entries(head: str, entries: Sequence[Entry], width: int) -> Iterator[str]:
    if not entries:
        return
    yield from ("", f"{head} ({len(entries)})")
    place = ""
    for one in sorted(entries, key=lambda entry: (entry.source.file, entry.source.line)):
        if one.source.file != place:
            place = one.source.file
            yield f"  {place}"
        yield from textwrap.wrap(
            f"{one.source.line:>6}  {one.name}{_told(one.fate)}{f': {one.why}' if one.why else ''}",
            width,
            subsequent_indent=" " * 10,
            break_on_hyphens=False,
        )


def _told(fate: Fate) -> str:
    """What is to be said besides the fate itself."""
    if fate.by:
        return f": {', '.join(f'{prop} in {steps}' for prop, steps in fate.by[:2])}" + (" …" if len(fate.by) > 2 else "")
    if fate.beside:
        return f": {fate.beside}: {fate.reason}"
    return f" ({fate.reason})" if fate.reason else ""


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)


def _hanging(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent="    ", break_on_hyphens=False, drop_whitespace=True) if line.strip() else [line]
