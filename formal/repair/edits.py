"""The edits that are considered: where one more statement could stand, and which are there to go.

In: flat programs, their operations. Out: edits, each a few acts on the text. An act names a statement by its place in a file, so that it is
the same act in every program that has the statement. What is not offered is told in docs/decisions/012-repair.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from formal import program as p
from formal.frontend.walking import blocks_of, walk
from formal.repair.operations import KINDS, Kind, Operations, inside_atomics
from formal.repair.places import Key, key_of
from formal.rewriting.bodies import reached

DELETE: Final = 1
INSERT: Final = 2
MOVE: Final = 3


@dataclass(frozen=True, slots=True, order=True)
class Deletion:
    """This statement is gone."""

    key: Key


@dataclass(frozen=True, slots=True, order=True)
class Insertion:
    """One more statement, before this one, or after it."""

    key: Key
    after: bool
    kind: Kind


Act: TypeAlias = Deletion | Insertion
Verb: TypeAlias = Literal["delete", "insert", "move"]


@dataclass(frozen=True, slots=True)
class Edit:
    """`acts`: in the order of the text; `cost`: see above; `width`: over how many statements the lock is held otherwise, roughly."""

    verb: Verb
    body: str
    acts: tuple[Act, ...]
    cost: int
    width: int

    def below(self, other: Edit) -> bool:
        """Whether this is less of the same: it changes where the lock is held over a part of the text over which the other does."""
        if self.verb != other.verb or self.body != other.body or self == other:
            return False
        if self.verb == "delete":
            return set(self.acts) < set(other.acts)
        return _kinds(self) == _kinds(other) and _file(self) == _file(other) and _covered(self, other)


def _kinds(edit: Edit) -> list[tuple[str, str]]:
    return [(type(act).__name__, act.kind if isinstance(act, Insertion) else str(act.key)) for act in edit.acts]


def _file(edit: Edit) -> str:
    return edit.acts[0].key[0]


def _covered(one: Edit, other: Edit) -> bool:
    """By text: from the first act to the last."""
    (a, b), (c, d) = _reach(one), _reach(other)
    return len(one.acts) == len(other.acts) == 2 and c <= a and b <= d and (a, b) != (c, d)


def _reach(edit: Edit) -> tuple[int, int]:
    places = [act.key[2] if isinstance(act, Insertion) and act.after else act.key[1] for act in edit.acts]
    return min(places), max(places)


@dataclass(frozen=True, slots=True)
class Unit:
    """What counts as one statement of a text: a labelled call is two of the program."""

    key: Key
    statements: tuple[p.Stmt, ...]
    kind: Kind | None  # of one that takes the lock or gives it back
    fixed: bool  # nothing is put beside it: it is the `if` of an `else if`

    @property
    def leaves(self) -> bool:
        """Whether control does not come to what is behind it."""
        return isinstance(self.statements[-1], p.Return | p.Break | p.Continue | p.Loop) and not _breaks(self.statements[-1])

    @property
    def deletable(self) -> bool:
        """Whether it can be taken away: a label is a place that properties speak of."""
        one = self.statements[0]
        return self.kind is not None and len(self.statements) == 1 and not isinstance(one, p.Block) and one.info.label is None


@dataclass(frozen=True, slots=True)
class Offer:
    """The edits considered, the cheapest first. `gaps`: acts of which at most one is made, since they are at one place between two
    statements; `bodies`: what was looked at."""

    edits: tuple[Edit, ...]
    gaps: tuple[frozenset[Act], ...]
    bodies: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    edits: dict[tuple[Act, ...], Edit] = field(default_factory=dict)
    gaps: dict[frozenset[Act], None] = field(default_factory=dict)
    bodies: dict[str, None] = field(default_factory=dict)


def editable(program: p.Program, known: Operations) -> list[str]:
    """The bodies that are looked at: some thread may come to them, and they may wait."""
    shut = inside_atomics(program)
    return [name for name in reached(program) if name not in known.wrappers and name not in shut]


def offer(programs: Sequence[tuple[p.Program, Operations]], within: Collection[str] | None) -> Offer:
    """All edits of these programs. `within`: bodies to change, None for all. What cannot be changed in one of them stays as it is."""
    found = _Found()
    shut = {name for program, known in programs for name in set(reached(program)) - set(editable(program, known))}
    for program, known in programs:
        bodies = reached(program)
        for name in editable(program, known):
            if name not in shut and (within is None or name in within):
                found.bodies[name] = None
                _body(name, bodies[name].body, known, found)
    edits = sorted(found.edits.values(), key=lambda edit: (edit.cost, edit.width, _file(edit), edit.acts[0].key, edit.body))
    return Offer(tuple(edits), tuple(found.gaps), tuple(found.bodies))


def keys_of(program: p.Program, known: Operations) -> frozenset[Key]:
    """The statements that acts can be about."""
    bodies = reached(program)
    blocks = [block for name in editable(program, known) for block in open_blocks(bodies[name].body)]
    return frozenset(one.key for block in blocks for one in units(block, known))


def _body(name: str, body: p.Block, known: Operations, found: _Found) -> None:
    blocks = [units(block, known) for block in open_blocks(body)]
    open_ended = any(not _paired(block) for block in blocks) or _jumps(blocks)
    for block in blocks:
        for edit in (*_deletions(name, block, open_ended), *_insertions(name, block, open_ended), *_moves(name, block)):
            found.edits.setdefault(edit.acts, edit)
        for place in range(len(block) + 1):
            gap = {Insertion(one.key, after, kind) for one, after in _sides(block, place) for kind in KINDS}
            if gap:
                found.gaps[frozenset(gap)] = None


def open_blocks(block: p.Block) -> Iterator[p.Block]:
    """The block, and every block in it that is in no `atomic`."""
    yield block
    for statement in block.statements:
        if not isinstance(statement, p.Atomic):
            for inner in blocks_of(statement):
                yield from open_blocks(inner)


def units(block: p.Block, known: Operations) -> list[Unit]:
    """The statements of a block, as the text has them; a block with local variables of its own is none."""
    found: list[Unit] = []
    for statement in block.statements:
        if isinstance(statement, p.Block):
            continue
        span = statement.info.span
        key = key_of(span)
        if found and found[-1].key[0] == key[0] and found[-1].key[1] <= key[1] and key[2] <= found[-1].key[2]:
            before = found.pop()
            found.append(Unit(before.key, (*before.statements, statement), None, before.fixed))
        else:
            fixed = span.source.text[: span.start].rstrip().endswith("else")
            found.append(Unit(key, (statement,), known.kind(statement), fixed))
    return found


def _sides(block: Sequence[Unit], place: int) -> Iterator[tuple[Unit, bool]]:
    """What an act before the unit at `place` can be told by: the unit before (after it), and the unit itself."""
    if place > 0 and not block[place - 1].fixed and not block[place - 1].leaves:
        yield block[place - 1], True
    if place < len(block) and not block[place].fixed:
        yield block[place], False


def _other(kind: Kind) -> Kind:
    return "unlock" if kind == "lock" else "lock"


def _paired(block: Sequence[Unit]) -> bool:
    """Whether each statement of the lock is undone by the next one."""
    kinds = [one.kind for one in block if one.kind is not None]
    return len(kinds) % 2 == 0 and all(a != b for a, b in zip(kinds[::2], kinds[1::2], strict=True))


def _jumps(blocks: Sequence[Sequence[Unit]]) -> bool:
    """Whether a body with statements of the lock has ways out besides its end, on which they may not pair up."""
    everything = [one for block in blocks for one in block]
    jumps = any(isinstance(one.statements[-1], p.Return | p.Break | p.Continue) for one in everything)
    return jumps and any(one.kind is not None for one in everything)


def _breaks(statement: p.Stmt) -> bool:
    """Whether a loop is one that may be left."""
    return isinstance(statement, p.Loop) and any(isinstance(one, p.Break) for one in walk(statement.body))


def _deletions(body: str, block: Sequence[Unit], open_ended: bool) -> Iterator[Edit]:
    """Two that undo each other with nothing of the lock between them; in a body where they may not pair up, each alone."""
    ours = [one for one in block if one.kind is not None]
    for one, other in pairwise(ours):
        if one.deletable and other.deletable and one.kind != other.kind:
            width = block.index(other) - block.index(one) - 1
            yield Edit("delete", body, (Deletion(one.key), Deletion(other.key)), DELETE, width)
    for one in ours if open_ended else ():
        if one.deletable:
            yield Edit("delete", body, (Deletion(one.key),), DELETE, 0)


def _insertions(body: str, block: Sequence[Unit], open_ended: bool) -> Iterator[Edit]:
    """A pair around each run of statements in which the others pair up; in a body where they may not, one of them anywhere."""
    for first in range(len(block)):
        for last in range(first, len(block)):
            run = block[first : last + 1]
            if run[0].fixed or run[-1].fixed or run[-1].leaves or not _paired(run):
                continue
            for kind in KINDS:
                if not _undone(block, first, last, kind):
                    acts = (Insertion(run[0].key, False, kind), Insertion(run[-1].key, True, _other(kind)))
                    yield Edit("insert", body, acts, INSERT, len(run))
    if open_ended:
        for place in range(len(block) + 1):
            one, after = next(iter(reversed(list(_sides(block, place)))), (None, False))
            if one is not None:
                yield from (Edit("insert", body, (Insertion(one.key, after, kind),), INSERT, 1) for kind in KINDS)


def _undone(block: Sequence[Unit], first: int, last: int, kind: Kind) -> bool:
    """Whether one of a pair would stand next to a statement that undoes it: that is a move, or nothing at all."""
    other = _other(kind)
    beside = [
        *((block[first - 1].kind, kind) for _ in range(first > 0)),
        (block[first].kind, kind),
        (block[last].kind, other),
        *((block[last + 1].kind, other) for _ in range(last + 1 < len(block))),
    ]
    return any(there is not None and there != put for there, put in beside)


def _moves(body: str, block: Sequence[Unit]) -> Iterator[Edit]:
    """Each to another place of its block, not past another one of the lock."""
    for place, one in enumerate(block):
        if one.kind is None or not one.deletable:
            continue
        for step in (-1, 1):
            at = place + step
            while 0 <= at < len(block) and block[at].kind is None and not block[at].fixed and not block[at].leaves:
                acts: tuple[Act, Act] = (Deletion(one.key), Insertion(block[at].key, step > 0, one.kind))
                yield Edit("move", body, acts if step > 0 else (acts[1], acts[0]), MOVE, abs(at - place))
                at += step
