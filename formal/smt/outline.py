"""A proof outline: where each thread holds a lock, or has a value in a thread-local. What a reader of the source expects.

In: a relation and the names of its parts. Out: `Note`s, each a few clauses that control flow suggests, and the lines that tell those of
them that somebody has proved. Candidates only: nothing here is proved. It must not know who proves them.

An outline of what holds at each place is that of Owicki and Gries (1976), here for locks alone, which nobody else can take away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, TypeAlias
from typing import Literal as Word

from formal.invariant import FALSE, TRUE, Clause, Literal, literal_over
from formal.program import EnumType, ThreadLocalDecl
from formal.smt.deeds import EVERY
from formal.smt.holding import Facts, facts_of, private_locals
from formal.smt.layout import element_names
from formal.smt.parts import Part, Parts

MOST_NOTES: Final = 256  # beyond that nobody reads them, and proving them takes longer than the search

Kind: TypeAlias = Word["only", "surely"]


@dataclass(frozen=True, slots=True)
class Note:
    """One fact: `subject` is so for the thread `only` at these places, or `surely` at them. `clauses`: the same, to be proved."""

    thread: str
    subject: str
    kind: Kind
    places: frozenset[str]
    clauses: tuple[Clause, ...]


def outline(parts: Parts) -> list[Note]:
    """The candidates, thread by thread; none if there would be too many."""
    relation = parts.relation
    notes: list[Note] = []
    for number, thread in enumerate(relation.cfg.program.threads):
        facts = facts_of(relation.cfg, relation.layout.reachable[number], number)
        known = {parts.places[at]: fact for at, fact in facts.items() if at < relation.cfg.locations}
        at = parts.by_name[f"{thread.name}.at"]
        notes += _locks(parts, thread.name, at, known)
        notes += _locals(parts, thread.name, at, known)
        if len(notes) > MOST_NOTES:
            return []
    return notes


def _locks(parts: Parts, thread: str, at: Part, facts: Mapping[str, Facts]) -> Iterator[Note]:
    layout = parts.relation.layout
    for lock in (*layout.owner, *layout.writer):
        for index, name in enumerate(element_names(lock)):
            may = frozenset(place for place, fact in facts.items() if {(lock, index), (lock, EVERY)} & fact.may)
            must = frozenset(place for place, fact in facts.items() if (lock, index) in fact.must)
            has = _holds(name, thread, shared=lock in layout.writer)
            if may:
                yield _only(thread, f"{name} held", at, may, has)
            if must:
                yield _surely(thread, f"{name} held", at, must, has)


def _holds(lock: str, thread: str, *, shared: bool) -> tuple[Literal, ...]:
    """The ways of holding a lock."""
    if shared:
        return Literal(f"{lock}.writer", (thread,)), Literal(f"{lock}.reader.{thread}", (TRUE,))
    return (Literal(f"{lock}.owner", (thread,)),)


def _locals(parts: Parts, thread: str, at: Part, facts: Mapping[str, Facts]) -> Iterator[Note]:
    """Thread-locals that have one value at a place, whatever came before."""
    for decl in private_locals(parts.relation.cfg):
        by_value: dict[str, set[str]] = {}
        for place, fact in facts.items():
            values = [value for other, value in fact.values if other is decl]
            if len(values) == 1:
                by_value.setdefault(_spelled(decl, values[0]), set()).add(place)
        for value, places in sorted(by_value.items()):
            part = f"{thread}.{decl.name}"
            has = Literal(part, (TRUE,), value == FALSE) if value in (TRUE, FALSE) else Literal(part, (value,))
            subject = {TRUE: decl.name, FALSE: f"!{decl.name}"}.get(value, f"{decl.name} = {value}")
            yield _surely(thread, subject, at, frozenset(places), (has,))


def _spelled(decl: ThreadLocalDecl, value: int) -> str:
    match decl.type:
        case EnumType(members=members):
            return members[value]
        case kind if hasattr(kind, "lo"):
            return str(value)
        case _:
            return TRUE if value else FALSE


def _only(thread: str, subject: str, at: Part, places: frozenset[str], has: Sequence[Literal]) -> Note:
    there = literal_over(at.name, at.domain, places)
    return Note(thread, subject, "only", places, tuple(tuple(sorted((_not(literal), there))) for literal in has))


def _surely(thread: str, subject: str, at: Part, places: frozenset[str], has: Sequence[Literal]) -> Note:
    elsewhere = literal_over(at.name, at.domain, frozenset(at.domain) - places)
    return Note(thread, subject, "surely", places, (tuple(sorted((*has, elsewhere))),))


def _not(literal: Literal) -> Literal:
    return Literal(literal.part, literal.values, not literal.negated)


# ---------------------------------------------------------------- as lines


def told(notes: Iterable[Note], parts: Parts) -> tuple[str, ...]:
    """The notes as lines: what is known of one thing in one line, the same of several threads in one."""
    grouped: dict[tuple[str, str], dict[Kind, frozenset[str]]] = {}
    for note in notes:
        grouped.setdefault((note.thread, note.subject), {})[note.kind] = note.places
    lines: dict[str, list[str]] = {}  # what is said, and of which threads
    for (thread, subject), found in grouped.items():
        code = [place for place in parts.by_name[f"{thread}.at"].domain if ":" in place]
        opposite = grouped.get((thread, _opposite(subject)), {}).get("surely", frozenset())
        if opposite and opposite | found.get("surely", frozenset()) >= set(code):
            if (len(opposite), subject) < (len(found["surely"]), _opposite(subject)):
                continue  # the other one says it in fewer words
            found = {"only": found["surely"], **found}
        lines.setdefault(f"{subject} {_where(found, code)}", []).append(thread)
    return tuple(f"{', '.join(threads)}: {line}" for line, threads in lines.items())


def _opposite(subject: str) -> str:
    return subject[1:] if subject.startswith("!") else f"!{subject}"


def _where(found: Mapping[Kind, frozenset[str]], code: Sequence[str]) -> str:
    only, surely = found.get("only"), found.get("surely")
    if only is not None and only == surely:
        return _places("exactly", only, code)
    words = [] if surely is None else [_places("surely" if only is not None else "", surely, code)]
    words += [] if only is None else [_places("only", only, code)]
    return ", ".join(words)


def _places(how: str, places: frozenset[str], code: Sequence[str]) -> str:
    """Where, by the shorter of two lists."""
    inside, outside = _bodies(places, code), _bodies(set(code) - places, code)
    if not outside:
        return "everywhere"
    if len(inside) <= len(outside) or how == "only":
        return f"{how} at {inside}".strip()
    return f"everywhere but at {outside}" if how == "exactly" else f"{how} everywhere but at {outside}".strip()


def _bodies(places: Set[str], code: Sequence[str]) -> str:
    """Places by body: the whole of it, or lines, or one of several steps of a line. `*`: at some of what stands in that line, or in some of
    the calls."""
    bodies: dict[str, dict[str, list[str]]] = {}
    for place in code:
        body, line = _line(place)
        bodies.setdefault(body, {}).setdefault(line, []).append(place)
    told = []
    for body, lines in bodies.items():
        if places >= {place for some in lines.values() for place in some}:
            told.append(body)
        elif numbers := [_number(line, some, places) for line, some in lines.items() if not places.isdisjoint(some)]:
            told.append(f"{body}:{','.join(numbers)}")
    return ", ".join(told)


def _line(place: str) -> tuple[str, str]:
    """Body and line of a place as `parts` names it: `body:line.phase#call`."""
    body, _, rest = place.rpartition(":")
    return body, rest.partition("#")[0].partition(".")[0]


def _number(line: str, some: Sequence[str], places: Set[str]) -> str:
    if places >= set(some):
        return line
    inside = {_phase(place) for place in some if place in places}
    outside = {_phase(place) for place in some if place not in places}
    if inside & outside:
        return f"{line}*"
    return "/".join(f"{line}.{phase}" for phase in sorted(inside))


def _phase(place: str) -> str:
    return place.rpartition(":")[2].partition("#")[0].partition(".")[2] or "run"
