"""Taking and giving back mutexes and readers-writer locks.

In: the lock's element, the state, and the path that collects the outcomes. Out: the state after it. It must not know control flow.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from formal.program import NOT_OWNER, RANGE, RELOCK, MutexDecl
from formal.smt.elements import Element
from formal.smt.expressions import Evaluator
from formal.smt.outcomes import Path
from formal.smt.scene import State
from formal.smt.terms import add, any_of, both, choose, either, equal, negation, number, subtract

Mode: TypeAlias = Literal["lock", "rdlock", "wrlock"]


def take_lock(at: Evaluator, path: Path, element: Element, mode: Mode) -> State:
    """The state after the moving thread took the lock; errors and waiting go to the path."""
    if not isinstance(element.decl, MutexDecl):
        return _take_rwlock(at, path, element, mode)
    layout, who = at.scene.layout, at.scene.who
    owners = layout.owner[element.decl]
    owner = element.pick(at.state, owners)
    own, free = equal(owner, who), equal(owner, number(-1))
    if not element.decl.recursive:
        path.fail_if(own, RELOCK)
        path.wait_if(negation(free))
        return element.put(at.state, owners, who)
    counts = layout.count[element.decl]
    count = element.pick(at.state, counts)
    path.fail_if(both(own, equal(count, number(element.decl.max_count))), RANGE)
    path.wait_if(negation(either(own, free)))
    return element.put(element.put(at.state, owners, who), counts, add(count, number(1)))


def _take_rwlock(at: Evaluator, path: Path, element: Element, mode: Mode) -> State:
    layout, who = at.scene.layout, at.scene.who
    writers, readers = layout.writer[element.decl], layout.readers[element.decl]
    path.fail_if(at.holds(who, element), RELOCK)
    path.wait_if(negation(equal(element.pick(at.state, writers), number(-1))))
    if mode == "rdlock":
        return _mark_reader(at, element, True)
    reading = [element.pick(at.state, [row[t] for row in readers]) for t in range(len(at.scene.program.threads))]
    path.wait_if(any_of(reading))
    return element.put(at.state, writers, who)


def _mark_reader(at: Evaluator, element: Element, reading: bool) -> State:
    state = at.state
    for t in at.scene.threads:
        column = [row[t] for row in at.scene.layout.readers[element.decl]]
        state = element.put(state, column, choose(at.scene.is_who(t), reading, element.pick(state, column)))
    return state


def release_lock(at: Evaluator, path: Path, element: Element, mode: Mode) -> State:
    """The state after the moving thread gave the lock back."""
    layout, who = at.scene.layout, at.scene.who
    if mode == "rdlock":
        path.fail_if(negation(at.reads(who, element)), NOT_OWNER)
        return _mark_reader(at, element, False)
    cells = layout.owner[element.decl] if mode == "lock" else layout.writer[element.decl]
    owner = element.pick(at.state, cells)
    path.fail_if(negation(equal(owner, who)), NOT_OWNER)
    if mode == "wrlock" or not element.decl.recursive:
        return element.put(at.state, cells, number(-1))
    counts = layout.count[element.decl]
    left = subtract(element.pick(at.state, counts), number(1))
    owner_left = choose(equal(left, number(0)), number(-1), who)
    return element.put(element.put(at.state, cells, owner_left), counts, left)
