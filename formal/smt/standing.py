"""More facts that probably hold in every reachable state, for a proof that begins with any state: they rule out states that make no sense.

In: a relation. Out: terms over its current state, candidates only: where each thread can stand and what it has polled for there, where it
may be the reader or writer of a lock, or wait for a condition; and that a lock without an owner is counted 0. It must not know who proves
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formal.program import WaitCond
from formal.smt.bodies import is_poll
from formal.smt.cfg import FINISHED, NOT_SPAWNED, Node
from formal.smt.deeds import EVERY, Family, element_of
from formal.smt.holding import facts_of
from formal.smt.layout import ThreadCells
from formal.smt.relation import Relation
from formal.smt.terms import Bool, any_of, either, equal, implied, less, negation, number, same_truth


def standing(relation: Relation) -> Iterator[Bool]:
    """The candidates, one term each."""
    yield from (term for term in _all(relation) if term is not True)


def _all(relation: Relation) -> Iterator[Bool]:
    yield from _locks_at_rest(relation)
    for thread, cells in enumerate(relation.layout.threads):
        yield from _places(relation, thread, cells)
        yield from _rwlocks(relation, thread, cells)
        yield from _waiters(relation, thread, cells)


def _at(cells: ThreadCells, places: Iterable[int]) -> Bool:
    return any_of([equal(cells.pc.value, number(place)) for place in sorted(places)])


def _outside(nodes: Iterable[Node]) -> list[Node]:
    """Those that a thread can stand at."""
    return [node for node in nodes if not node.inner]


def _places(relation: Relation, thread: int, cells: ThreadCells) -> Iterator[Bool]:
    """On its own body or on a bottom half's, by level; and below a bottom half there is a poll."""
    own, *others = relation.layout.reachable[thread]
    ends = {FINISHED, NOT_SPAWNED} if thread in relation.cfg.program.spawned else {FINISHED}
    nested = negation(equal(cells.level.value, number(0)))
    yield either(nested, _at(cells, {node.id for node in _outside(own.nodes)} | ends))
    halves = [node for body in others for node in _outside(body.nodes)]
    yield implied(nested, _at(cells, {node.id for node in halves}))
    for depth, saved in enumerate(cells.saved):
        polls = [node for node in (halves if depth else _outside(own.nodes)) if is_poll(node)]
        yield implied(less(number(depth), cells.level.value), any_of([equal(saved.value, number(node.id)) for node in polls]))


def _rwlocks(relation: Relation, thread: int, cells: ThreadCells) -> Iterator[Bool]:
    layout = relation.layout
    facts = facts_of(relation.cfg, layout.reachable[thread], thread)
    for lock, writers in layout.writer.items():
        for index, writer in enumerate(writers):
            places = {at for at, known in facts.items() if (lock, index) in known.may or (lock, EVERY) in known.may}
            has = either(equal(writer.value, number(thread)), layout.readers[lock][index][thread].value)
            yield implied(has, _at(cells, places))


def _waiters(relation: Relation, thread: int, cells: ThreadCells) -> Iterator[Bool]:
    """Who is among the waiters of a condition stands where it wakes up."""
    layout, family = relation.layout, Family(relation.cfg.program, thread)
    nodes = [node for body in layout.reachable[thread] for node in _outside(body.nodes)]
    wakes = [
        (node.id, element_of(family, node.stmt.ref, node.site))
        for node in nodes
        if isinstance(node.stmt, WaitCond) and node.phase == "wake"
    ]
    for condition, rows in layout.waiters.items():
        for index, row in enumerate(rows):
            places = {at for at, (decl, which) in wakes if decl is condition and which in (index, EVERY)}
            yield implied(row[thread].value, _at(cells, places))


def _locks_at_rest(relation: Relation) -> Iterator[Bool]:
    layout = relation.layout
    for mutex, counts in layout.count.items():
        for owner, count in zip(layout.owner[mutex], counts, strict=True):
            yield same_truth(equal(owner.value, number(-1)), equal(count.value, number(0)))
    for lock, writers in layout.writer.items():
        for writer, row in zip(writers, layout.readers[lock], strict=True):
            yield either(equal(writer.value, number(-1)), negation(any_of([reader.value for reader in row])))
