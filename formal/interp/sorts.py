"""Elements that a program cannot tell apart: threads of a family, with the array elements that go with them.

In: a program, and the conditions that are asked for besides. Out: its `Sort`s. A sort is a range of indices 0..n-1, with the families and
arrays that it indexes, such that permuting it in a state changes nothing else: the scalarsets of Ip and Dill ("Better verification through
symmetry", 1996), found instead of declared. Must not know states.

Two uses of an index that meet (an array and what indexes it, both sides of `==`) belong to one sort. An index that is reckoned with,
ordered, or kept in a variable makes no sort; one that is written as a number stands for an element of its own (`pinned`). A `for` goes
through its sort in order: inside of an `atomic` its passes must not care in which; elsewhere it is `ordered`, which is for whoever searches
to care about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, is_dataclass
from typing import Final, TypeAlias

from formal.diagnostics import Span
from formal.interp.passes import any_order, defined, inner
from formal.nodes import names_of
from formal.program import (
    NONE,
    Atomic,
    BhDecl,
    Binary,
    Binder,
    Block,
    Bound,
    Call,
    CondDecl,
    ContextDecl,
    Direct,
    EventDecl,
    Expr,
    For,
    Info,
    IntType,
    Invoke,
    Literal,
    LocalDecl,
    MutexDecl,
    Program,
    Quantifier,
    RefParam,
    RwlockDecl,
    SemDecl,
    Stmt,
    ThreadDecl,
    ThreadLocalDecl,
    ThreadType,
    VarDecl,
)

Thing: TypeAlias = object  # a Binder, or a declaration with a size: what is indexed, or stands for an index
LEAST: Final = 2  # elements of a sort
LEAVES: Final = (Binder, Span, Info, LocalDecl, RefParam, MutexDecl, RwlockDecl, SemDecl, EventDecl, CondDecl, ContextDecl, BhDecl, VarDecl)


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """`families` and `arrays` are indexed by it, `binders` stand for an index of it. Only elements of one colour are alike.
    `ordered`: the `for` statements that go through it step by step."""

    size: int
    families: tuple[ThreadDecl, ...]
    arrays: tuple[Thing, ...]
    binders: frozenset[Binder]
    ordered: frozenset[For]
    colours: tuple[int, ...]


def sorts(program: Program, conditions: Iterable[Expr]) -> tuple[Sort, ...]:
    """The sorts with at least two elements that are alike, wherever these conditions are looked at."""
    reader = _Reader(program)
    reader.read(conditions)
    return tuple(reader.found())


class _Reader:
    """Puts things together that share an index (union and find), and notes what tells elements apart."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._parent: dict[Thing, Thing] = {}
        self._broken: set[Thing] = set()
        self._pinned: list[tuple[Thing, int]] = []
        self._domains: list[tuple[Binder, tuple[int, ...]]] = []
        self._fors: set[For] = set()
        self._position = {t: place for members in program.families.values() for place, t in enumerate(members)}

    # ------------------------------------------------------------ union and find

    def _root(self, thing: Thing) -> Thing:
        parent = self._parent.setdefault(thing, thing)
        while parent is not thing:
            thing, parent = parent, self._parent[parent]
        return thing

    def _join(self, one: Thing, other: Thing) -> None:
        self._parent[self._root(one)] = self._root(other)

    def _break(self, thing: Thing) -> None:
        self._root(thing)
        self._broken.add(thing)

    def _pin(self, thing: Thing, index: int) -> None:
        self._root(thing)
        self._pinned.append((thing, index))

    def _pin_thread(self, thread: int) -> None:
        if thread != NONE and self._program.threads[thread].decl.size is not None:
            self._pin(self._program.threads[thread].decl, self._position[thread])

    # ------------------------------------------------------------ what is read

    def read(self, conditions: Iterable[Expr]) -> None:
        program = self._program
        for decl in {thread.decl: None for thread in program.threads}:
            self._root(decl)
            if decl.binder is not None:
                self._join(decl.binder, decl)
        for bh in program.bhs:
            if bh.binder is not None:
                self._join(bh.binder, bh)
        for variable in program.variables:
            if variable.family is not None:
                self._join(variable, self._family(variable.family))
        for context in program.contexts:
            if context.home is not None:
                self._pin_thread(context.home)
        procs = program.procs.values()
        self._walk((*(decl.body for decl in {thread.decl: None for thread in program.threads}), *(bh.body for bh in program.bhs)))
        self._walk(tuple((*proc.requires, *proc.ensures, proc.body) for proc in procs))
        self._walk((*(context.when for context in program.contexts), *conditions))
        self._look_at_loops()

    def _family(self, name: str) -> ThreadDecl:
        return self._program.threads[self._program.families[name][0]].decl

    def _walk(self, node: object) -> None:  # noqa: C901 - one arm a kind
        """A statement or an expression. What is not special is made of its parts."""
        match node:
            case ThreadDecl() | ThreadLocalDecl():
                return
            case Literal(type=ThreadType(), value=value):
                self._pin_thread(int(value))
            case Bound(binder=binder, type=IntType()):
                self._break(binder)  # a number like others; where it is an index, it is not walked to
            case Binary(op="==" | "!=", left=left, right=right):
                self._equal(left, right)
            case Direct(decl=decl, index=index) if index is not None:
                self._indexed(decl, index)
            case Quantifier(binder=binder, domain=domain, body=body):
                self._domains.append((binder, domain))
                if not defined(body, self._program, {binder: domain}):
                    self._break_domain(binder, domain)
                self._walk(body)
            case For():
                self._domains.append((node.binder, node.domain))
                self._walk(node.body)
            case tuple():
                for part in node:
                    self._walk(part)
            case _ if is_dataclass(node) and not isinstance(node, LEAVES):
                for name in names_of(node):
                    self._walk(getattr(node, name))
            case _:
                pass

    def _indexed(self, decl: Thing, index: Expr) -> None:
        match index:
            case Bound(binder=binder, type=IntType()):
                self._join(binder, decl)
            case Literal(type=IntType(), value=value):
                self._pin(decl, int(value))
            case _:
                if not (isinstance(decl, VarDecl) and decl.family is not None):
                    self._break(decl)
                self._walk(index)

    def _equal(self, left: Expr, right: Expr) -> None:
        match left, right:
            case Bound(binder=one, type=IntType()), Bound(binder=other, type=IntType()):
                self._join(one, other)
            case (Bound(binder=binder, type=IntType()), Literal(value=value)) | (
                Literal(value=value),
                Bound(binder=binder, type=IntType()),
            ):
                self._pin(binder, int(value))
            case _:
                self._walk(left)
                self._walk(right)

    def _break_domain(self, binder: Binder, domain: tuple[int, ...]) -> None:
        """What a binder stands for is told apart."""
        if isinstance(binder.type, ThreadType):
            for thread in domain:
                self._break(self._program.threads[thread].decl)
        else:
            self._break(binder)

    # ------------------------------------------------------------ loops

    def _look_at_loops(self) -> None:
        """A `for` in an atomic is over in one step: all orders of its passes have to come to the same."""
        bodies = [*(thread.decl.body for thread in self._program.threads), *(bh.body for bh in self._program.bhs)]
        outside = list(self._executed(bodies, into_atomics=False))
        self._fors = {node for node in outside if isinstance(node, For)}
        for node in self._executed([node.body for node in outside if isinstance(node, Atomic)], into_atomics=True):
            if isinstance(node, For) and not any_order(node):
                self._break_domain(node.binder, node.domain)

    def _executed(self, bodies: Iterable[Block], *, into_atomics: bool) -> Iterator[Stmt]:
        """The statements in these bodies, and in what they call."""
        todo: list[Stmt] = list(bodies)
        called: set[str] = set()
        while todo:
            stmt = todo.pop()
            yield stmt
            match stmt:
                case Call(proc=name):
                    names = [name]
                case Invoke(hook=hook):
                    names = list(self._program.hooks.get(hook, ()))
                case Atomic() if not into_atomics:
                    continue
                case _:
                    todo += inner(stmt)
                    continue
            todo += [self._program.procs[name].body for name in names if name not in called]
            called.update(names)

    # ------------------------------------------------------------ what was found

    def found(self) -> Iterator[Sort]:
        """The classes that make a sort."""
        classes: dict[Thing, list[Thing]] = {}
        for thing in list(self._parent):
            classes.setdefault(self._root(thing), []).append(thing)
        for things in classes.values():
            sort = self._sort(things)
            if sort is not None and len(set(sort.colours)) < sort.size:
                yield sort

    def _sort(self, things: list[Thing]) -> Sort | None:
        declared = [thing for thing in things if not isinstance(thing, Binder)]
        sizes = {getattr(thing, "size", None) for thing in declared}
        if not self._broken.isdisjoint(things) or len(sizes) != 1:
            return None
        size = sizes.pop()
        if size is None or size < LEAST:
            return None
        binders = frozenset(thing for thing in things if isinstance(thing, Binder))
        families = tuple(thing for thing in declared if isinstance(thing, ThreadDecl))
        arrays = tuple(thing for thing in declared if not isinstance(thing, ThreadDecl))
        marks = self._marks(size, things, binders, families)
        if marks is None:
            return None
        for array in arrays:
            if isinstance(array, VarDecl):
                for place, value in enumerate(array.initial):
                    marks[place].append(value)
        seen: dict[tuple[object, ...], int] = {}
        colours = tuple(seen.setdefault(tuple(mark), len(seen)) for mark in marks)
        ordered = frozenset(f for f in self._fors if self._goes_through(f, binders, families))
        return Sort(size, families, arrays, binders, ordered, colours)

    def _marks(
        self, size: int, things: list[Thing], binders: frozenset[Binder], families: tuple[ThreadDecl, ...]
    ) -> list[list[object]] | None:
        """What the text tells of each element; None if it tells of what lies outside."""
        marks: list[list[object]] = [[] for _ in range(size)]
        for thing, index in self._pinned:
            if thing in things:
                if not 0 <= index < size:
                    return None
                marks[index].append(("pinned", index))
        if not all(self._mark_domain(binder, domain, binders, families, marks) for binder, domain in self._domains):
            return None
        for family in families:
            for place, thread in enumerate(self._program.families[family.name]):
                marks[place].append(thread in self._program.spawned)
        return marks

    def _goes_through(self, stmt: For, binders: frozenset[Binder], families: tuple[ThreadDecl, ...]) -> bool:
        if stmt.binder in binders:
            return True
        return isinstance(stmt.binder.type, ThreadType) and any(self._program.threads[t].decl in families for t in stmt.domain)

    def _mark_domain(
        self,
        binder: Binder,
        domain: tuple[int, ...],
        binders: frozenset[Binder],
        families: tuple[ThreadDecl, ...],
        marks: list[list[object]],
    ) -> bool:
        """What is in a domain is told from what is not. False if it goes beyond the sort, or has some threads of a family only."""
        if binder in binders:
            if not set(domain) <= set(range(len(marks))):
                return False
            for place, mark in enumerate(marks):
                mark.append(place in domain)
        elif isinstance(binder.type, ThreadType):
            for family in families:
                members = set(self._program.families[family.name])
                if members.intersection(domain) and not members <= set(domain):
                    return False
        return True
