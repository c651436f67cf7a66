"""Facts about every reachable state that follow from control flow, to spare the solver their rediscovery.

In: a relation. Out: terms over its current state that hold after every execution without an error: who owns a mutex stands where it may be
owned, and who stands where it must be owned owns it; the like for thread-locals. They cut off no execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from formal.program import MutexDecl, ThreadLocalDecl
from formal.smt.cfg import FINISHED, NOT_SPAWNED
from formal.smt.deeds import EVERY
from formal.smt.holding import Facts, facts_of, private_locals
from formal.smt.layout import Cell
from formal.smt.relation import Relation
from formal.smt.terms import Bool, Num, any_of, equal, implied, negation, number

MAX_FACTS = 64  # threads times mutexes and thread-locals: beyond that they cost more than they spare


def lemmas(relation: Relation) -> list[Bool]:
    """The facts, one term each."""
    layout = relation.layout
    privates = private_locals(relation.cfg)
    locks = sum(len(cells) for cells in layout.owner.values())
    if len(layout.threads) * (locks + len(privates)) > MAX_FACTS:
        return []
    found: list[Bool] = []
    for thread, cells in enumerate(layout.threads):
        facts = facts_of(relation.cfg, layout.reachable[thread], thread)
        standing = {at: known for at, known in facts.items() if at < relation.cfg.locations}
        where = _Where(cells.pc, sorted(standing), thread in relation.cfg.program.spawned)
        for mutex, owners in layout.owner.items():
            for index, owner in enumerate(owners):
                found += _ownership(where, standing, mutex, index, equal(owner.value, number(thread)))
        for decl in privates:
            found += _value(where, standing, decl, layout.thread_locals[decl][thread])
    return [term for term in found if term is not True]


class _Where:
    """A thread's possible locations, and terms for being at one of some of them."""

    def __init__(self, pc: Cell, places: Sequence[int], spawned: bool) -> None:
        self._pc: Num = pc.value
        self._all = [NOT_SPAWNED, *places] if spawned else list(places)
        if FINISHED not in self._all:
            self._all.append(FINISHED)

    def at(self, places: set[int]) -> Bool:
        """Whether the thread is at one of these, told by the shorter of the two lists."""
        others = [place for place in self._all if place not in places]
        if len(places) <= len(others):
            return any_of([equal(self._pc, number(place)) for place in sorted(places)])
        return negation(any_of([equal(self._pc, number(place)) for place in others]))


def _ownership(where: _Where, facts: Mapping[int, Facts], mutex: MutexDecl, index: int, owns: Bool) -> Iterator[Bool]:
    may = {at for at, known in facts.items() if (mutex, index) in known.may or (mutex, EVERY) in known.may}
    must = {at for at, known in facts.items() if (mutex, index) in known.must}
    yield implied(owns, where.at(may))
    yield implied(where.at(must), owns)


def _value(where: _Where, facts: Mapping[int, Facts], decl: ThreadLocalDecl, cell: Cell) -> Iterator[Bool]:
    by_value: dict[int, set[int]] = {}
    for at, known in facts.items():
        values = [value for other, value in known.values if other is decl]
        if len(values) == 1:
            by_value.setdefault(values[0], set()).add(at)
    for value, places in sorted(by_value.items()):
        has = (cell.value if value else negation(cell.value)) if cell.truth else equal(cell.value, number(value))
        yield implied(where.at(places), has)
