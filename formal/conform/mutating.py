"""How much a mapping notices: logs with one small lie in them, and what becomes of each.

In: the lines of a log that is accepted, and a seed. Out: mutants (a line dropped, two neighbours swapped, a thread id changed), each
judged as any log is. A mutant that is accepted is no mistake as such: the search is exact, so some execution of the model shows it; why,
as far as the rules say so, is told. Only lines that the mapping looks at are touched, in the part that the model is about. Must not open
files.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from formal.conform.checking import Checking
from formal.conform.following import Seen
from formal.conform.log import BadLog, Event, Reader
from formal.conform.mapping import Mapping
from formal.conform.sieve import Sieve

Kind: TypeAlias = Literal["dropped", "swapped", "thread changed"]
KINDS: tuple[Kind, ...] = ("dropped", "swapped", "thread changed")


@dataclass(frozen=True, slots=True)
class Mutant:
    """`line`: the first one that differs. `rejected`: where it was rejected, None if it was not. `late`: mapped events of the original
    between the two. `why`: of an accepted one."""

    kind: Kind
    line: int
    rejected: int | None
    late: int | None
    why: str


@dataclass(frozen=True, slots=True)
class _Lie:
    kind: Kind
    lines: list[bytes]
    first: int  # of the mapped events, the one that it begins at
    line: int


def mutants(checking: Checking, path: str, lines: Sequence[bytes], count: int, seed: int) -> Iterator[Mutant]:
    """That many mutants of an accepted log, the kinds in turn. Raises BadLog."""
    mapping = checking.mapping
    chance = random.Random(seed)
    reader = Reader(path, mapping.by_event, mapping.other_lines)
    mapped = list(Sieve(mapping, path, reader).sift(reader.events(lines)))
    numbers = [event.number for event, _ in mapped]
    for turn in range(count):
        lie = _lie(KINDS[turn % len(KINDS)], mapped, lines, chance)
        rejected = _judged(checking, path, lie)
        if rejected is None:
            yield Mutant(lie.kind, lie.line, None, None, _why(lie, mapped, mapping))
        else:
            shifted = rejected + (lie.kind == "dropped" and rejected >= lie.line)  # the line's number in the original
            yield Mutant(lie.kind, lie.line, rejected, sum(lie.line <= number < shifted for number in numbers), "")


def _judged(checking: Checking, path: str, lie: _Lie) -> int | None:
    """The line at which it is rejected, or at which it is no log at all."""
    try:
        result = checking.check(path, lie.lines)
    except BadLog as bad:
        return lie.line if bad.diagnostic.span is None else bad.diagnostic.span.line
    return None if result.rejection is None else result.rejection.event.number


def _lie(kind: Kind, mapped: Sequence[tuple[Event, Seen]], lines: Sequence[bytes], chance: random.Random) -> _Lie:
    changed = list(lines)
    place = chance.randrange(len(mapped) - (kind == "swapped"))
    at = mapped[place][0].number - 1
    if kind == "dropped":
        del changed[at]
    elif kind == "swapped":
        other = mapped[place + 1][0].number - 1
        changed[at], changed[other] = changed[other], changed[at]
    else:
        own = mapped[place][0].thread
        others = sorted({event.thread for event, _ in mapped} - {own}) or [own + 1]
        changed[at] = changed[at].replace(b"%d@" % own, b"%d@" % chance.choice(others), 1)
    return _Lie(kind, changed, place, at + 1)


def _why(lie: _Lie, mapped: Sequence[tuple[Event, Seen]], mapping: Mapping) -> str:
    """Why an execution shows the mutant, too."""
    event, seen = mapped[lie.first]
    rules = [mapping.rules[meaning.rule] for meaning in seen.meanings]
    if lie.kind == "swapped":
        other, beside = mapped[lie.first + 1]
        if event.thread != other.thread:
            return "two threads' lines in another order are a run, too"
        if not all(mapping.rules[meaning.rule].moves for meaning in (*seen.meanings, *beside.meanings)):
            return "one of the two lines only says where its thread stands"
        return "the model allows either order"
    if not any(rule.moves for rule in rules):
        return "the line only says where its thread stands"
    if any(rule.optional for rule in rules):
        return "the rule is optional: the step may go unlogged"
    return "an execution of the model does so" if lie.kind == "thread changed" else "an execution without that step is a run, too"
