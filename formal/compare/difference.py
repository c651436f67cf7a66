"""The difference of two programs: hunks, by where they are in the protocol, and which statement of the one is which of the other.

In: two flat programs. Out: a `Difference`. Bodies are compared as trees of statements: those that say the same are paired, and compound
ones with the same head are gone into. Neighbours and the body say where a hunk is; lines of text do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from formal import program as p
from formal.compare.spelling import Speller
from formal.frontend.walking import blocks_of
from formal.rewriting.bodies import Decl, decls_of


@dataclass(frozen=True, slots=True, eq=False)
class Hunk:
    """Statements of a body that are others. `removed` stand in BEFORE, `added` in AFTER, in `block` from `place` on; `head` and `tail`
    are the neighbours, None at an end of the block."""

    body: str
    removed: tuple[p.Stmt, ...]
    added: tuple[p.Stmt, ...]
    block: p.Block
    place: int
    head: p.Stmt | None
    tail: p.Stmt | None


@dataclass(frozen=True, slots=True, eq=False)
class Clauses:
    """A procedure that asks for or promises something else; `kind` is requires or ensures."""

    body: str
    kind: str
    removed: tuple[p.Assert, ...]
    added: tuple[p.Assert, ...]
    before: p.ProcDecl
    after: p.ProcDecl


@dataclass(frozen=True, slots=True)
class Hook:
    """Other callbacks, or in another order."""

    hook: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration that only one has, or that says something else. `what`: added, removed or changed; `kind`: mutex, proc and so on."""

    what: str
    kind: str
    name: str
    before: object | None
    after: object | None


Change: TypeAlias = Hunk | Clauses | Hook | Declared


@dataclass(slots=True)
class Difference:
    """`changes` are of the protocol, `asked` says how the properties differ. `pairs`: of each statement of BEFORE that AFTER has too, by
    uid, its uid there."""

    changes: list[Change] = field(default_factory=list)
    asked: list[Declared] = field(default_factory=list)
    pairs: dict[int, int] = field(default_factory=dict)


def difference(before: p.Program, after: p.Program) -> Difference:
    """Of two flat programs."""
    return _Comparison(before, after).run()


_KINDS = (
    ("mutex", "mutexes"),
    ("rwlock", "rwlocks"),
    ("sem", "sems"),
    ("event", "events"),
    ("cond", "conds"),
    ("context", "contexts"),
    ("bh", "bhs"),
    ("variable", "variables"),
    ("thread_local", "thread_locals"),
)


class _Comparison:
    def __init__(self, before: p.Program, after: p.Program) -> None:
        self._before, self._after = before, after
        self._old, self._new = Speller(before), Speller(after)
        self._found = Difference()

    def run(self) -> Difference:
        """All of it."""
        old, new = decls_of(self._before), decls_of(self._after)
        for name, decl in new.items():
            if name in old and type(old[name]) is type(decl):
                self._body(old[name], decl)
        self._declarations(old, new)
        for hook in dict.fromkeys((*self._before.hooks, *self._after.hooks)):
            one, other = self._before.hooks.get(hook, ()), self._after.hooks.get(hook, ())
            if one != other:
                self._found.changes.append(Hook(hook, one, other))
        self._properties()
        return self._found

    # ------------------------------------------------------------ bodies

    def _body(self, old: Decl, new: Decl) -> None:
        if isinstance(old, p.ProcDecl) and isinstance(new, p.ProcDecl):
            self._clauses(old, new, "requires", old.requires, new.requires)
            self._clauses(old, new, "ensures", old.ensures, new.ensures)
        self._block(new.name, old.body, new.body)

    def _clauses(self, old: p.ProcDecl, new: p.ProcDecl, kind: str, before: Sequence[p.Assert], after: Sequence[p.Assert]) -> None:
        gone, come = list(before), list(after)
        for one in before:
            same = next((other for other in come if self._old.whole(one) == self._new.whole(other)), None)
            if same is not None:
                self._found.pairs[one.info.uid] = same.info.uid
                gone.remove(one)
                come.remove(same)
        self._found.pairs.update((one.info.uid, other.info.uid) for one, other in zip(gone, come, strict=False))  # it asks something else
        if gone or come:
            self._found.changes.append(Clauses(new.name, kind, tuple(gone), tuple(come), old, new))

    def _block(self, body: str, old: p.Block, new: p.Block) -> None:
        """Pairs what says the same; the rest are hunks."""
        removed: list[p.Stmt] = []
        added: list[p.Stmt] = []
        place = 0
        head: p.Stmt | None = None
        one = 0
        for left, right in (*self._aligned(old.statements, new.statements), (len(old.statements), len(new.statements))):
            removed, added = list(old.statements[one:left]), list(new.statements[place:right])
            if removed or added:
                tail = new.statements[right] if right < len(new.statements) else None
                self._found.changes.append(Hunk(body, tuple(removed), tuple(added), new, place, head, tail))
            if right < len(new.statements):
                self._pair(body, old.statements[left], new.statements[right])
                head = new.statements[right]
            one, place = left + 1, right + 1

    def _pair(self, body: str, old: p.Stmt, new: p.Stmt) -> None:
        if not isinstance(old, p.Block) and not isinstance(new, p.Block):
            self._found.pairs[old.info.uid] = new.info.uid
        for inner, other in zip(blocks_of(old), blocks_of(new), strict=True):
            self._block(body, inner, other)

    def _aligned(self, old: Sequence[p.Stmt], new: Sequence[p.Stmt]) -> list[tuple[int, int]]:
        """The pairs of places, of most weight: a statement that says the same weighs more than one with the same head only."""
        weights = [[self._weight(one, other) for other in new] for one in old]
        best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
        for left in reversed(range(len(old))):
            for right in reversed(range(len(new))):
                paired = weights[left][right] + best[left + 1][right + 1] if weights[left][right] else 0
                best[left][right] = max(paired, best[left + 1][right], best[left][right + 1])
        pairs, left, right = [], 0, 0
        while left < len(old) and right < len(new):
            if weights[left][right] and best[left][right] == weights[left][right] + best[left + 1][right + 1]:
                pairs.append((left, right))
                left, right = left + 1, right + 1
            elif best[left][right] == best[left + 1][right]:
                left += 1
            else:
                right += 1
        return pairs

    def _weight(self, old: p.Stmt, new: p.Stmt) -> int:
        if type(old) is not type(new):
            return 0
        if self._old.whole(old) == self._new.whole(new):
            return 3
        inner, other = blocks_of(old), blocks_of(new)
        return 1 if inner and len(inner) == len(other) and self._old.head(old) == self._new.head(new) else 0

    # ------------------------------------------------------------ declarations

    def _declarations(self, old: dict[str, Decl], new: dict[str, Decl]) -> None:
        for kind, attribute in _KINDS:
            self._named(kind, getattr(self._before, attribute), getattr(self._after, attribute))
        for kind, sort in (("thread", p.ThreadDecl), ("proc", p.ProcDecl)):
            self._named(
                kind, [one for one in old.values() if isinstance(one, sort)], [one for one in new.values() if isinstance(one, sort)]
            )

    def _named(self, kind: str, old: Sequence[p.ObjectDecl | p.ProcDecl], new: Sequence[p.ObjectDecl | p.ProcDecl]) -> None:
        before, after = {one.name: one for one in old}, {one.name: one for one in new}
        for name in dict.fromkeys((*before, *after)):
            one, other = before.get(name), after.get(name)
            if one is None or other is None:
                self._found.changes.append(Declared("added" if one is None else "removed", kind, name, one, other))
            elif self._said(self._old, one) != self._said(self._new, other):
                self._found.changes.append(Declared("changed", kind, name, one, other))

    @staticmethod
    def _said(speller: Speller, decl: object) -> object:
        """What a declaration says; clauses are changes of their own, and whether it is recursive follows from the bodies."""
        if isinstance(decl, p.ProcDecl):
            return tuple((type(one), speller.declaration(one)) for one in decl.params), decl.result
        return speller.declaration(decl)

    def _properties(self) -> None:
        old = {one.name: one for one in self._before.properties if one.kind not in ("builtin", "deadlock")}
        new = {one.name: one for one in self._after.properties if one.kind not in ("builtin", "deadlock")}
        for name in dict.fromkeys((*old, *new)):
            one, other = old.get(name), new.get(name)
            if one is None or other is None:
                self._found.asked.append(Declared("added" if one is None else "removed", "property", name, one, other))
            elif self._claim(self._old, one) != self._claim(self._new, other):
                self._found.asked.append(Declared("changed", "property", name, one, other))

    @staticmethod
    def _claim(speller: Speller, prop: p.Property) -> object:
        return prop.kind, speller.whole(prop.condition), speller.whole(prop.trigger)
