"""The meaning of locks, semaphores, events, condition variables, and of scheduling bottom halves.

In: an execution. Out: its outcomes. It must not know control flow.
"""

from __future__ import annotations

from collections.abc import Sequence

from formal.program import (
    NOT_OWNER,
    RANGE,
    Lock,
    MutexDecl,
    PostSem,
    Schedule,
    Unlock,
    WaitCond,
    WaitEvent,
    WaitSem,
    Wake,
    With,
    WriteEvent,
)
from formal.smt.elements import Element
from formal.smt.execution import Execution
from formal.smt.layout import Cell
from formal.smt.locks import release_lock, take_lock
from formal.smt.scene import State
from formal.smt.terms import add, any_of, both, choose, equal, negation, number, subtract


def execute_lock(run: Execution) -> None:
    assert isinstance(run.node.stmt, Lock | With)
    element = run.inside(run.node.stmt.ref)
    mode = run.node.stmt.mode if isinstance(run.node.stmt, Lock) else "lock"
    run.next(take_lock(run.at, run.path, element, mode))


def execute_unlock(run: Execution) -> None:
    assert isinstance(run.node.stmt, Unlock | With)
    element = run.inside(run.node.stmt.ref)
    mode = run.node.stmt.mode if isinstance(run.node.stmt, Unlock) else "lock"
    run.next(release_lock(run.at, run.path, element, mode))


def execute_with(run: Execution) -> None:
    (execute_lock if run.node.phase == "enter" else execute_unlock)(run)


def execute_semaphore(run: Execution) -> None:
    assert isinstance(run.node.stmt, WaitSem | PostSem)
    element = run.inside(run.node.stmt.ref)
    cells = run.scene.layout.sems[element.decl]
    count = element.pick(run.state, cells)
    if isinstance(run.node.stmt, WaitSem):
        run.path.wait_if(equal(count, number(0)))
        run.next(element.put(run.state, cells, subtract(count, number(1))))
    else:
        run.path.fail_if(equal(count, number(element.decl.max_count)), RANGE)
        run.next(element.put(run.state, cells, add(count, number(1))))


def execute_wait_event(run: Execution) -> None:
    assert isinstance(run.node.stmt, WaitEvent)
    element = run.inside(run.node.stmt.ref)
    run.path.wait_if(negation(element.pick(run.state, run.scene.layout.events[element.decl])))
    run.next(run.state, changed=False)


def execute_write_event(run: Execution) -> None:
    assert isinstance(run.node.stmt, WriteEvent)
    element = run.inside(run.node.stmt.ref)
    run.next(element.put(run.state, run.scene.layout.events[element.decl], run.node.stmt.value))


def execute_wait_cond(run: Execution) -> None:
    assert isinstance(run.node.stmt, WaitCond)
    condition, lock = run.inside(run.node.stmt.ref), run.inside(run.node.stmt.lock)
    assert isinstance(lock.decl, MutexDecl)
    owners = run.scene.layout.owner[lock.decl]
    owner = lock.pick(run.state, owners)
    if run.node.phase == "wait":
        run.path.fail_if(negation(equal(owner, run.scene.who)), NOT_OWNER)
        run.next(_mark_waiter(run, condition, lock.put(run.state, owners, number(-1)), True))
        return
    rows = run.scene.layout.waiters[condition.decl]
    waiting = any_of(both(run.scene.is_who(t), condition.pick(run.state, [row[t] for row in rows])) for t in run.scene.threads)
    run.path.wait_if(negation(both(negation(waiting), equal(owner, number(-1)))))
    run.next(lock.put(run.state, owners, run.scene.who))


def _mark_waiter(run: Execution, element: Element, state: State, waiting: bool) -> State:
    rows = run.scene.layout.waiters[element.decl]
    for t in run.scene.threads:
        column = [row[t] for row in rows]
        state = element.put(state, column, choose(run.scene.is_who(t), waiting, element.pick(state, column)))
    return state


def execute_wake(run: Execution) -> None:
    assert isinstance(run.node.stmt, Wake)
    element = run.inside(run.node.stmt.ref)
    columns: list[Sequence[Cell]] = [
        [row[t] for row in run.scene.layout.waiters[element.decl]] for t in range(len(run.scene.program.threads))
    ]
    waiting = [element.pick(run.state, column) for column in columns]
    if run.node.stmt.all:
        state = run.state
        for column in columns:
            state = element.put(state, column, False)
        run.next(state)
        return
    for t, column in enumerate(columns):
        chosen = both(waiting[t], run.pick(t, len(columns)))
        run.path.go(element.put(run.state, column, False), run.node.targets[0], True, chosen)
    run.path.go(run.state, run.node.targets[0], True, negation(any_of(waiting)))


def execute_schedule(run: Execution) -> None:
    assert isinstance(run.node.stmt, Schedule)
    element = run.inside(run.node.stmt.ref)
    cells = run.scene.layout.pending[element.decl]
    if not element.decl.oneshot:
        run.next(element.put(run.state, cells, True))
        return
    count = element.pick(run.state, cells)
    run.path.fail_if(equal(count, number(element.decl.max_count)), RANGE)
    run.next(element.put(run.state, cells, add(count, number(1))))
