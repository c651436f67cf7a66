"""The whole of a comparison, as data: for every way to tell it.

In: two programs, reports about them and about AFTER with changes taken back. Out: a `Comparison`. It must not search: the reports come from
whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from formal import program as p
from formal.compare.difference import Change, Clauses, Declared, Difference, Hook, Hunk, difference
from formal.compare.following import Course, course
from formal.compare.undoing import undone
from formal.formats.json import witness_document
from formal.interp import Machine
from formal.recorded import Record, follow
from formal.rewriting.admitting import Refused
from formal.rewriting.bodies import place_of
from formal.rewriting.flattening import flat
from formal.rewriting.rebuilding import renumbered
from formal.verdict import PropertyResult, Report, SourceRef, Verdict

APART = 1_000_000_000  # between the uids of the two programs


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a hunk: `sign` is "-", "+" or " " (a neighbour)."""

    sign: str
    text: str
    source: SourceRef | None


@dataclass(frozen=True, slots=True)
class Told:
    """A change for a reader: `where` it is ("in qemu_savevm_state", "hook save_setup"), and its lines."""

    where: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Reverted:
    """AFTER with some changes taken back; `numbers` are theirs, from 1. `report`: None where there is no such program; `refused`: why."""

    numbers: tuple[int, ...]
    report: Report | None
    refused: str = ""

    @property
    def broken(self) -> tuple[PropertyResult, ...]:
        """The properties that are violated then, those violated soonest first."""
        found = () if self.report is None else self.report.properties
        return tuple(sorted((one for one in found if one.verdict is Verdict.VIOLATED), key=lambda one: one.depth or 0))


@dataclass(frozen=True, slots=True)
class Comparison:
    """`wrong`: how BEFORE differs from what it expects, and AFTER from being proved; empty if the one is violated as it says, the other
    proved. `asked`: how the properties differ. `courses`: of each witness of BEFORE, in AFTER."""

    before: Report
    after: Report
    wrong: tuple[str, ...]
    changes: tuple[Told, ...]
    asked: tuple[Told, ...]
    courses: tuple[Course, ...]
    reverted: tuple[Reverted, ...]

    @property
    def certified(self) -> bool:
        """Whether AFTER mends what BEFORE is expected to violate."""
        return not self.wrong

    @property
    def undecided(self) -> bool:
        """Whether all that is missing is an answer."""
        return Verdict.UNDECIDED in (self.before.verdict, self.after.verdict) and self.after.verdict is not Verdict.VIOLATED


class Pair:
    """Two programs, flat and told apart, and their difference."""

    def __init__(self, before: p.Program, after: p.Program) -> None:
        self.given = before, after
        self.before = renumbered(flat(before), APART)
        self.after = flat(after)
        self.found: Difference = difference(self.before, self.after)

    def groups(self) -> Iterator[tuple[int, ...]]:
        """Which changes to take back at a time: each alone, all those of a body together, all of them. Numbers from 1."""
        changes = self.found.changes
        numbers = [number for number, change in enumerate(changes, 1) if not _inert(change)]
        together = [
            tuple(group) for _, group in groupby(sorted(numbers, key=lambda n: _body(changes[n - 1])), key=lambda n: _body(changes[n - 1]))
        ]
        alone = [(number,) for number in numbers]
        yield from dict.fromkeys((*alone, *together, tuple(numbers)))

    def without(self, numbers: Sequence[int]) -> p.Program:
        """AFTER with these changes taken back. Raises Refused."""
        return undone(self.before, self.after, [self.found.changes[number - 1] for number in numbers])

    def reverted(self, ask: Callable[[p.Program, tuple[int, ...]], Report]) -> Iterator[Reverted]:
        """All that is to be taken back, each asked about."""
        for numbers in self.groups():
            try:
                program = self.without(numbers)
            except Refused as refused:
                yield Reverted(numbers, None, str(refused))
                continue
            yield Reverted(numbers, ask(program, numbers))

    def courses(self, report: Report) -> Iterator[Course]:
        """How far the witnesses of BEFORE go in AFTER."""
        recorded = (
            Record(one.name, report.file, report.digest, {}, (), tuple(witness_document(one.witness)["steps"]), one.witness.loop_to)
            for one in report.properties
            if one.witness is not None
        )
        yield from self.courses_of(recorded)

    def courses_of(self, recorded: Iterable[Record]) -> Iterator[Course]:
        """The same of witnesses that were written down."""
        before, after = Machine(self.before), Machine(self.after)
        for record in recorded:
            yield course(before, after, self.found.pairs, record.prop, follow(self.before, before, record).outcomes)

    def told(self) -> tuple[Told, ...]:
        """The changes, for a reader."""
        return tuple(_told(change) for change in self.found.changes)

    def asked(self) -> tuple[Told, ...]:
        """How the properties differ."""
        return tuple(_told(change) for change in self.found.asked)


def _inert(change: Change) -> bool:
    """Whether taking it back alone does nothing: declarations come along with the statements that use them."""
    return isinstance(change, Declared) and (change.what != "changed" or change.kind in ("thread", "proc", "context"))


def _body(change: Change) -> str:
    match change:
        case Hunk(body=body):
            return body
        case Clauses(body=body, kind=kind):
            return f"{kind} {body}"
        case Hook(hook=hook):
            return f"hook {hook}"
        case Declared(name=name):
            return f"declaration {name}"


def _told(change: Change) -> Told:
    match change:
        case Hunk():
            lines = [
                *_neighbour(change.head),
                *(line for one in change.removed for line in _lines("-", one)),
                *(line for one in change.added for line in _lines("+", one)),
                *_neighbour(change.tail),
            ]
            return Told(f"in {change.body}", tuple(lines))
        case Clauses():
            lines = [
                *(Line("-", _clause(one), place_of(one.info.span)) for one in change.removed),
                *(Line("+", _clause(one), place_of(one.info.span)) for one in change.added),
            ]
            return Told(f"at {change.body}", tuple(lines))
        case Hook(hook=hook, before=old, after=new):
            return Told(
                f"hook {hook}", (Line("-", ", ".join(old) or "no callback", None), Line("+", ", ".join(new) or "no callback", None))
            )
        case Declared(kind=kind, name=name):
            signed = [(sign, one) for sign, one in (("-", change.before), ("+", change.after)) if one is not None]
            return Told(f"{kind} {name}", tuple(_declaration(sign, one, f"{kind} {name}") for sign, one in signed))


def _clause(one: p.Assert) -> str:
    """As it was written; constants may have decided it."""
    match one.condition:
        case p.Literal(value=value):
            return f"{one.info.text} (constantly {'true' if value else 'false'})"
        case _:
            return one.info.text


def _neighbour(statement: p.Stmt | None) -> list[Line]:
    return [] if statement is None or isinstance(statement, p.Block) else _lines(" ", statement)[:1]


def _lines(sign: str, statement: p.Stmt, deep: int = 0) -> list[Line]:
    """A statement and what is in it."""
    from formal.frontend.walking import blocks_of

    found = []
    if not isinstance(statement, p.Block):
        found.append(Line(sign, "    " * deep + statement.info.text, place_of(statement.info.span)))
        deep += 1
    if not isinstance(statement, p.Atomic):  # its line says it all
        for block in blocks_of(statement):
            for inner in block.statements:
                found += _lines(sign, inner, deep)
    return found


def _declaration(sign: str, decl: object, name: str) -> Line:
    span = getattr(decl, "span", None)
    if span is None:
        return Line(sign, name, None)
    text = " ".join(span.source.text[span.start : span.end].split())
    return Line(sign, text if len(text) > len(name) else name, place_of(span))
