"""Threads and elements that a program cannot tell apart, as the parts of a state and their values name them.

In: the parts of a program's states, and ranges of indices (`Alike`). Out: of each part, value and place what it is and which *members* of
those ranges it is about, so that a permutation of members says what becomes of it; of the ways that members can stand to each other one
each (*normal*: who is named first is the first of his class). It must not know how the ranges were found, nor what is asked of states.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

from formal.invariant import Clause, Literal, literal_over
from formal.program import ThreadDecl, ThreadType
from formal.smt.cfg import Cfg, Site, Slot
from formal.smt.layout import Cell
from formal.smt.parts import Part, Parts

Member: TypeAlias = tuple[int, int]  # a class of indices that are alike, and which of them
Name: TypeAlias = tuple[Hashable, tuple[Member, ...]]  # what something is, but for members, and which those are


@dataclass(frozen=True, slots=True)
class Alike:
    """A range of indices that `families` and `arrays` are indexed by. Those of one colour can be exchanged: that changes no meaning."""

    families: tuple[ThreadDecl, ...]
    arrays: tuple[object, ...]
    colours: tuple[int, ...]


class Roster:
    """Who is alike, and what is called after whom. `sizes`: of each class. Threads whose numbers are kept in registers are told apart."""

    def __init__(self, parts: Parts, alike: Iterable[Alike]) -> None:
        self._cfg = parts.relation.cfg
        self._read = parts.read
        self._layout = parts.relation.layout
        self.sizes: list[int] = []
        self._members: dict[tuple[object, int], Member] = {}  # by declaration and index
        for one in alike:
            if not (one.families and _kept(self._cfg)):
                self._add(one)
        self._threads = [self._thread(number) for number in range(len(self._cfg.program.threads))]
        self._thread_of = {name: number for number, name in enumerate(self._threads)}
        self._nodes = dict(self._named_nodes())
        self._node_of = {name: number for number, name in self._nodes.items()}
        by_cell = {part.cell: part for part in parts.all}
        self._parts = {by_cell[cell]: name for cell, name in self._named_cells() if cell in by_cell}
        self._part_of = {name: part for part, name in self._parts.items()}
        self._standing, self._owning = self._kinds(by_cell)

    def _add(self, alike: Alike) -> None:
        by_colour: dict[int, list[int]] = {}
        for index, colour in enumerate(alike.colours):
            by_colour.setdefault(colour, []).append(index)
        for indices in by_colour.values():
            if len(indices) > 1:
                for which, index in enumerate(indices):
                    self._members.update({(decl, index): (len(self.sizes), which) for decl in (*alike.families, *alike.arrays)})
                self.sizes.append(len(indices))

    # ------------------------------------------------------------ names

    def part(self, part: Part) -> Name:
        """A part's."""
        return self._parts[part]

    def value(self, part: Part, value: int) -> Name:
        """That of a value of a part."""
        if part in self._standing:
            return self._nodes.get(value, (value, ()))
        return self._threads[value] if part in self._owning and value >= 0 else (value, ())

    def thread(self, number: int) -> Name:
        """A thread's."""
        return self._threads[number]

    def spot(self, thread: int, node: int) -> tuple[Member, ...]:
        """The members that a thread's standing at a node is about."""
        return (*self._threads[thread][1], *self._nodes.get(node, (node, ()))[1])

    def stands_for_all(self, thread: int, node: int) -> bool:
        """Whether what a thread does at a node is told of no other thread and node that they can be exchanged with."""
        members = self.spot(thread, node)
        return members == normal(members)

    def _element(self, decl: object, index: int) -> Name:
        member = self._members.get((decl, index))
        return ((decl, index), ()) if member is None else (decl, (member,))

    def _thread(self, number: int) -> Name:
        program = self._cfg.program
        decl = program.threads[number].decl
        return self._element(decl, program.families[decl.name].index(number)) if decl.name in program.families else ((decl, 0), ())

    def _named_nodes(self) -> Iterator[tuple[int, Name]]:
        """The places of bottom halves that are members: the bodies of members correspond, node by node."""
        for (bh, index), body in self._cfg.bhs.items():
            what, members = self._element(bh, index)
            nodes = enumerate(body.nodes if members else ())
            yield from ((node.id, ((what, place, node.stmt, node.phase), members)) for place, node in nodes)

    def _named_cells(self) -> Iterator[tuple[Cell, Name]]:
        layout = self._layout
        locks: Sequence[Mapping[Any, Sequence[Cell]]] = (layout.owner, layout.count, layout.writer)
        others: Sequence[Mapping[Any, Sequence[Cell]]] = (layout.sems, layout.events, layout.pending, layout.variables)
        per_thread: Sequence[Mapping[Any, Sequence[Sequence[Cell]]]] = (layout.readers, layout.waiters)
        for what, elements in enumerate((*locks, *others)):
            for decl, cells in elements.items():
                yield from ((cell, _joined(what, self._element(decl, index))) for index, cell in enumerate(cells))
        for what, tables in enumerate(per_thread, len(locks) + len(others)):
            for decl, rows in tables.items():
                for index, row in enumerate(rows):
                    yield from ((cell, _joined(what, self._element(decl, index), self._threads[t])) for t, cell in enumerate(row))
        for local, cells in layout.thread_locals.items():
            yield from ((cell, _joined(local, self._threads[thread])) for thread, cell in enumerate(cells))
        for thread, own in zip(self._threads, layout.threads, strict=True):
            everything = (own.pc, own.level, *own.saved, *_flat(own.truths), *_flat(own.numbers))
            yield from ((cell, _joined(place, thread)) for place, cell in enumerate(everything))

    def _kinds(self, by_cell: Mapping[Cell, Part]) -> tuple[Set[Part], Set[Part]]:
        """The parts whose values are places, and those whose values are threads."""
        places = [cell for cells in self._layout.threads for cell in (cells.pc, *cells.saved)]
        owners = [*_flat(self._layout.owner.values()), *_flat(self._layout.writer.values())]
        return {by_cell[cell] for cell in places if cell in by_cell}, {by_cell[cell] for cell in owners if cell in by_cell}

    # ------------------------------------------------------------ permutations

    def bringing(self, members: Sequence[Member]) -> Mapping[Member, Member]:
        """A permutation that makes these members of those in their normal form; only of those that it moves."""
        orders: dict[int, list[int]] = {}
        for place, (number, which) in _first(members):
            order = orders.setdefault(number, list(range(self.sizes[number])))
            there = order.index(which)
            order[place], order[there] = order[there], order[place]
        return {(n, here): (n, there) for n, order in orders.items() for here, there in enumerate(order) if here != there}

    def generating(self) -> Iterator[Mapping[Member, Member]]:
        """Permutations that all others are made of: of each class, two exchanged, and all moved on by one."""
        for number, size in enumerate(self.sizes):
            yield {(number, 0): (number, 1), (number, 1): (number, 0)}
            if size > 2:
                yield {(number, which): (number, (which + 1) % size) for which in range(size)}

    def meetings(self, known: Set[Member], members: Sequence[Member]) -> Iterator[tuple[Member, ...]]:
        """The ways that those who are named by members in normal form can stand to others who are known: each is one of these, or the first
        of his class that is not."""
        yield from (tuple(to[member] for member in members) for to in self._meetings(known, list(dict.fromkeys(members)), {}))

    def _meetings(self, known: Set[Member], left: Sequence[Member], to: Mapping[Member, Member]) -> Iterator[Mapping[Member, Member]]:
        if not left:
            yield to
            return
        number = left[0][0]
        free = [(number, which) for which in range(self.sizes[number]) if (number, which) not in to.values()]
        for member in (*(one for one in free if one in known), *[one for one in free if one not in known][:1]):
            yield from self._meetings(known, left[1:], {**to, left[0]: member})

    def places(self, own: tuple[Member, ...], members: Sequence[Member]) -> Iterator[tuple[Member, ...]]:
        """The same, where those of `own` are themselves and the others anybody."""
        everybody = {(number, which) for number, size in enumerate(self.sizes) for which in range(size)}
        left = [member for member in dict.fromkeys(members) if member not in own]
        yield from (tuple(to[member] for member in members) for to in self._meetings(everybody, left, {member: member for member in own}))

    def first(self, thread: int) -> tuple[int, Mapping[Member, Member]]:
        """Who stands for a thread, and what makes the thread of him."""
        to = self.bringing(self._threads[thread][1])
        return self.thread_under(reverse(to), thread), to

    # ------------------------------------------------------------ images

    def part_under(self, to: Mapping[Member, Member], part: Part) -> Part:
        """What a part becomes."""
        return self._part_of[image(to, self._parts[part])]

    def value_under(self, to: Mapping[Member, Member], part: Part, value: int) -> int:
        """What a value of a part becomes."""
        if part in self._standing:
            return self.node_under(to, value)
        return self.thread_under(to, value) if part in self._owning and value >= 0 else value

    def node_under(self, to: Mapping[Member, Member], node: int) -> int:
        """What a place becomes."""
        return self._node_of[image(to, self._nodes[node])] if node in self._nodes else node

    def thread_under(self, to: Mapping[Member, Member], thread: int) -> int:
        """What a thread becomes."""
        return self._thread_of[image(to, self._threads[thread])]

    def clause_under(self, to: Mapping[Member, Member], clause: Clause) -> Clause:
        """What a clause becomes."""
        return tuple(sorted(self._literal_under(to, literal) for literal in clause))

    def _literal_under(self, to: Mapping[Member, Member], literal: Literal) -> Literal:
        part, values = self._read(literal.part, literal.values)
        there = self.part_under(to, part)
        if all(self.value_under(to, part, value) == value for value in values) and there.domain == part.domain:
            return Literal(there.name, literal.values, literal.negated)
        if literal.negated:
            values = frozenset(part.values) - values
        names = dict(zip(there.values, there.domain, strict=True))
        return literal_over(there.name, there.domain, frozenset(names[self.value_under(to, part, value)] for value in values))

    def closed(self, clauses: Collection[Clause]) -> bool:
        """Whether every permutation makes clauses of these of all of them."""
        known = set(clauses)
        return all(self.clause_under(to, clause) in known for to in self.generating() for clause in clauses)


def reverse(to: Mapping[Member, Member]) -> Mapping[Member, Member]:
    """What undoes a permutation."""
    return {there: here for here, there in to.items()}


def normal(members: Sequence[Member]) -> tuple[Member, ...]:
    """Members by the order in which those of their class are named."""
    places = {member: (member[0], place) for place, member in _first(members)}
    return tuple(places[member] for member in members)


def pattern(members: Sequence[Member], fixed: Set[Member]) -> tuple[Member, ...]:
    """What permutations that leave the fixed ones alone don't change of these members: two of them lead from one to the other exactly where
    this is the same."""
    places = {member: (member[0], ~place) for place, member in _first([member for member in members if member not in fixed])}
    return tuple(places.get(member, member) for member in members)


def _first(members: Iterable[Member]) -> Iterator[tuple[int, Member]]:
    """Each member once, with how many of his class were named before him."""
    counts: dict[int, int] = {}
    for member in dict.fromkeys(members):
        place = counts[member[0]] = counts.get(member[0], -1) + 1
        yield place, member


def image(to: Mapping[Member, Member], name: Name) -> Name:
    """What a permutation makes of a name."""
    return name[0], tuple([to.get(member, member) for member in name[1]])


def _joined(what: Hashable, *names: Name) -> Name:
    return (what, *(name[0] for name in names)), tuple(member for name in names for member in name[1])


def _flat(rows: Iterable[Iterable[Cell]]) -> Iterator[Cell]:
    return (cell for row in rows for cell in row)


def _kept(cfg: Cfg) -> bool:
    """Whether some register may hold a thread."""
    slots = (slot for node in cfg.nodes.values() for site in (node.site, node.callee) if site is not None for slot in _slots(site))
    return any(isinstance(slot.type, ThreadType) for slot in slots)


def _slots(site: Site) -> Iterator[Slot]:
    yield from site.slots.values()
    yield from [site.result] if site.result is not None else ()
    yield from (hidden.slot for hidden in site.hidden)
