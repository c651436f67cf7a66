"""What was found, for people. In: a `Telling`. Out: text that fits the width. Must not print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from formal.repair.edits import DELETE, INSERT, MOVE
from formal.repair.naming import Words
from formal.repair.search import Found, Repair
from formal.repair.texts import unified
from formal.verdict import Report, Verdict


@dataclass(frozen=True, slots=True)
class Aside:
    """What there is to say of a repair besides that it is one. `notes`: what the models' files say of it; `beside`: reports of models that
    need not be right; `saved`: where it was written."""

    notes: tuple[str, ...] = ()
    beside: tuple[Report, ...] = ()
    saved: str | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """`asides`: of each repair; `broken`: properties that are violated as the models are, by model."""

    lock: str
    found: Found
    asides: tuple[Aside, ...]
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", Words(self.found.sources, self.found.spelled, self.found.offered.edits))

    def names(self, repair: Repair) -> list[str]:
        """Its edits, in words."""
        return [self.words.edit(edit) for edit in repair.edits]


def text(told: Telling, width: int, *, quiet: bool) -> str:
    """The models, how it was searched, and each repair with its diff."""
    return "\n".join(_lines(told, width, quiet=quiet))


def violated(report: Report) -> list[str]:
    """The properties that are violated."""
    return [result.name for result in report.properties if result.verdict is Verdict.VIOLATED]


def _lines(told: Telling, width: int, *, quiet: bool) -> Iterator[str]:
    found = told.found
    for report in found.before:
        yield from _hanging(f"{report.file}: {_verdict(report)}", width)
    yield from _hanging(_how(told), width)
    if found.ruled_out and not quiet:
        most = sorted(found.ruled_out.items(), key=lambda one: (-one[1], one[0]))
        yield from _hanging(f"  ruled out by {', '.join(f'{prop} ({count})' for prop, count in most)}", width)
    yield ""
    yield from _hanging(_outcome(found), width)
    for number, (repair, aside) in enumerate(zip(found.repairs, told.asides, strict=True), 1):
        yield ""
        yield from _repair(told, number, repair, aside, width, quiet=quiet)
    for edits, why in found.open:
        yield ""
        yield from _hanging(f"not known: {'; '.join(told.words.edit(edit) for edit in edits) or 'the models as they are'}", width)
        yield from _hanging(f"  {why}", width)


def _verdict(report: Report) -> str:
    broken = violated(report)
    if broken:
        return f"violated: {', '.join(broken)}"
    return "proved as it is" if report.verdict is Verdict.PROVED else report.verdict.replace("_", " ")


def _how(told: Telling) -> str:
    found = told.found
    counts = f"{len(found.offered.edits)} edits in {len(found.offered.bodies)} bodies"
    return f"{told.lock}: {counts}, {found.looked_at} sets of them looked at ({found.seconds:.1f} s)"


def _outcome(found: Found) -> str:
    costs = f"delete {DELETE}, insert {INSERT}, move {MOVE}"
    some = {0: "no repair", 1: "1 repair"}.get(len(found.repairs), f"{len(found.repairs)} repairs")
    if found.stopped:
        return f"{some} so far: {found.stopped}; there may be others, and smaller ones"
    if not found.repairs:
        if found.cost is None:
            return "no repair: under every set of these edits a property is violated"
        return f"no repair that costs up to {found.cost} ({costs}); --cost N looks further"
    least = min(repair.cost for repair in found.repairs)
    if found.cost is None or found.cost > least:
        bound = "whatever they cost" if found.cost is None else f"that cost up to {found.cost}"
        return f"{some} with no smaller one in it, {bound} ({costs})"
    return f"{some} of the least cost, {least} ({costs})"


def _repair(told: Telling, number: int, repair: Repair, aside: Aside, width: int, *, quiet: bool) -> Iterator[str]:
    proved = ", ".join(f"{report.model} ({len(report.properties)} properties)" for report in repair.reports)
    yield from _hanging(f"repair {number}, cost {repair.cost}: proved: {proved}", width)
    for name in told.names(repair):
        yield from _hanging(f"  {name}", width)
    for note in aside.notes:
        yield from _hanging(f"  outside of the models: {note}", width)
    for report in aside.beside:
        yield from _hanging(f"  beside: {report.file}: {_verdict(report).replace(' as it is', '')}", width)
    if aside.saved is not None:
        yield f"  written to {aside.saved}"
    if not quiet:
        yield from (f"    {line}".rstrip() for line in unified(told.found.sources, repair.texts))


def _hanging(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False) or [line]


def edits_by_name(told: Telling) -> Mapping[str, Sequence[int]]:
    """The numbers of the repairs, from 0, by the name of each edit of theirs."""
    found: dict[str, list[int]] = {}
    for number, repair in enumerate(told.found.repairs):
        for name in told.names(repair):
            found.setdefault(name, []).append(number)
    return found
