"""Statements as outcomes: one node executed in one state, by the moving thread of a scene.

In: a node, a state, and how choices are made. Out: its outcomes, exclusive for each way of choosing. Everything that waits says so; what
an `atomic` makes of that is not known here, nor is the stack of bottom halves (see `formal.smt.dispatch`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from formal.program import NESTING as NESTING_CHECK
from formal.program import (
    NOT_OWNER,
    RANGE,
    SPAWN,
    WRONG_CONTEXT,
    AioWaitWhile,
    Assert,
    Assign,
    Assume,
    Await,
    BoolType,
    Call,
    Choose,
    If,
    Invoke,
    Join,
    LocalDecl,
    Lock,
    MutexDecl,
    Place,
    Poll,
    PostSem,
    RefParam,
    Return,
    Schedule,
    Skip,
    Spawn,
    Type,
    Unlock,
    WaitCond,
    WaitEvent,
    WaitSem,
    Wake,
    While,
    With,
    WriteEvent,
)
from formal.smt.arguments import interval, late_index
from formal.smt.cfg import EXIT, FINISHED, NOT_SPAWNED, Node, Slot
from formal.smt.expressions import Element, Evaluator
from formal.smt.layout import Cell
from formal.smt.locks import release_lock, take_lock
from formal.smt.outcomes import Path, Pick
from formal.smt.references import context_of, resolve
from formal.smt.scene import Scene, State, stands
from formal.smt.terms import Bool, Value, add, all_of, any_of, both, choose, equal, less, negation, number, subtract, within

Meaning: TypeAlias = Callable[["Execution"], None]


class Execution:
    """One node in one state. `run` collects the outcomes in `path`."""

    def __init__(self, scene: Scene, node: Node, state: State, pick: Pick) -> None:
        self.scene = scene
        self.node = node
        self.state = state
        self.pick = pick
        self.path = Path(scene.program.disabled)
        self.at = Evaluator(scene, state, node.site, scene.who, {})

    def next(self, state: State, changed: bool = True) -> None:
        self.path.go(state, self.node.targets[0], changed)

    def run(self) -> Path:
        MEANINGS[type(self.node.stmt)](self)
        return self.path

    # ------------------------------------------------------------ values

    def fits(self, value: Value, type_: Type) -> Bool:
        """Whether a value belongs to a type."""
        if isinstance(type_, BoolType):
            return True
        return within(value, *interval(self.scene.program, type_))

    def write_slot(self, state: State, slot: Slot, value: Value) -> State:
        return state.with_value(self.scene.register(self.node.site.root.is_thread, slot), value)

    def assign(self, place: Place, value: Value, defined: Bool) -> None:
        """The check and the effect of `place = value`."""
        element, cells = self.at.place(place)
        target = resolve(place, self.node.site).ref
        type_: Any = target.decl.type  # type: ignore[union-attr]
        self.path.fail_if(negation(all_of((defined, element.defined, self.fits(value, type_)))), RANGE)
        self.next(element.put(self.state, cells, value))

    def branch(self, condition: Any, then: int, otherwise: int) -> None:
        value, defined = self.at.value(condition)
        self.path.fail_if(negation(defined), RANGE)
        self.path.go(self.state, then, where=value)
        self.path.go(self.state, otherwise, where=negation(value))

    def inside(self, ref: Any) -> Element:
        """The element that a reference denotes, after the check that it exists."""
        element = self.at.element(ref)
        self.path.fail_if(negation(element.defined), RANGE)
        return element


# ---------------------------------------------------------------- data and control


def _skip(run: Execution) -> None:
    run.next(run.state, changed=False)


def _assign(run: Execution) -> None:
    assert isinstance(run.node.stmt, Assign)
    value, defined = run.at.value(run.node.stmt.value)
    run.assign(run.node.stmt.place, value, defined)


def _return(run: Execution) -> None:
    stmt, slot = run.node.stmt, run.node.site.result
    assert isinstance(stmt, Return)
    assert stmt.value is not None
    assert slot is not None
    value, defined = run.at.value(stmt.value)
    run.path.fail_if(negation(both(defined, run.fits(value, slot.type))), RANGE)
    run.next(run.write_slot(run.state, slot, value))


def _call(run: Execution) -> None:
    stmt = run.node.stmt
    assert isinstance(stmt, Call)
    if run.node.phase == "assign":
        assert stmt.place is not None
        assert run.node.site.result is not None
        run.assign(stmt.place, run.at.slot(run.node.site.result), True)
        return
    proc = run.scene.program.procs[stmt.proc]
    if proc.recursive:
        _check_recursion(run, stmt.proc)
    callee = run.node.callee
    if callee is None:
        return
    state = run.state
    for param, argument in zip(proc.params, stmt.arguments, strict=True):
        if isinstance(param, LocalDecl):
            value, defined = run.at.value(argument)  # type: ignore[arg-type]
            run.path.fail_if(negation(both(defined, run.fits(value, param.type))), RANGE)
            state = run.write_slot(state, callee.slots[param], value)
        else:
            state = _bind(run, callee, param, argument, state)
    run.next(state)


def _bind(run: Execution, callee: Any, param: RefParam, argument: Any, state: State) -> State:
    """Evaluates the index of a reference argument where that has to be done at the call."""
    expr, slot = late_index(argument), callee.refs[param].index
    if expr is None or slot is None:
        return state
    value, defined = run.at.value(expr)
    exists = run.at.element(argument).defined if not hasattr(argument, "thread") else run.at.place(argument)[0].defined
    run.path.fail_if(negation(both(defined, exists)), RANGE)
    return run.write_slot(state, slot, value)


def _check_recursion(run: Execution, name: str) -> None:
    """Counts the activations below the current bottom half too: those of the polls that wait for it."""
    bound = run.scene.program.recursion
    here = run.node.site.active.get(name, 0)
    if here >= bound:
        run.path.fail_if(True, NESTING_CHECK)
        return
    if run.node.site.root.is_thread:
        return
    count = number(here)
    for depth, cell in enumerate(run.scene.saved):
        polls = [n for n in run.scene.cfg.nodes.values() if n.site.active.get(name, 0) and isinstance(n.stmt, Poll | AioWaitWhile)]
        for poll in polls:
            held = both(equal(cell.value, number(poll.id)), less(number(depth), run.scene.level.value))
            count = add(count, choose(held, number(poll.site.active[name]), number(0)))
    run.path.fail_if(negation(less(count, number(bound))), NESTING_CHECK)


def _test(run: Execution) -> None:
    assert isinstance(run.node.stmt, If | While)
    run.branch(run.node.stmt.condition, *run.node.targets)


def _choose(run: Execution) -> None:
    count = len(run.node.targets)
    for i, target in enumerate(run.node.targets):
        run.path.go(run.state, target, where=run.pick(i, count))


def _invoke(run: Execution) -> None:
    """A recursive callback's step, or a pick among those not yet called; the first pick ("enter") starts with none called."""
    stmt = run.node.stmt
    assert isinstance(stmt, Invoke)
    if not run.node.picks:
        _callback_step(run, stmt)
        return
    names = run.scene.program.hooks[stmt.hook]
    first = run.node.phase == "enter"
    for i, slot in enumerate(run.node.picks):
        called = False if first else run.at.slot(slot)
        state = run.state
        for j, other in enumerate(run.node.picks):
            if first or i == j:
                state = run.write_slot(state, other, i == j)
        chosen = both(negation(called), run.pick(i, len(names)))
        run.path.go(state, run.node.targets[i], where=chosen)


def _callback_step(run: Execution, stmt: Invoke) -> None:
    name = next((name for name in run.scene.program.hooks[stmt.hook] if run.node.callee and run.node.callee.frames[-1] == name), None)
    if name is None:
        run.path.fail_if(True, NESTING_CHECK)
        return
    _check_recursion(run, name)
    run.next(run.state, changed=False)


def _assert(run: Execution) -> None:
    assert isinstance(run.node.stmt, Assert)
    value, defined = run.at.value(run.node.stmt.condition)
    run.path.fail_if(negation(defined), RANGE)
    run.path.fail_if(negation(value), run.node.stmt.prop)
    run.next(run.state, changed=False)


def _assume(run: Execution) -> None:
    assert isinstance(run.node.stmt, Assume)
    value, defined = run.at.value(run.node.stmt.condition)
    run.path.fail_if(negation(defined), RANGE)
    run.path.end_if(negation(value))
    run.next(run.state, changed=False)


def _await(run: Execution) -> None:
    assert isinstance(run.node.stmt, Await)
    value, defined = run.at.value(run.node.stmt.condition)
    run.path.fail_if(negation(defined), RANGE)
    run.path.wait_if(negation(value))
    run.next(run.state, changed=False)


# ---------------------------------------------------------------- locks and signals


def _lock(run: Execution) -> None:
    assert isinstance(run.node.stmt, Lock | With)
    element = run.inside(run.node.stmt.ref)
    mode = run.node.stmt.mode if isinstance(run.node.stmt, Lock) else "lock"
    run.next(take_lock(run.at, run.path, element, mode))


def _unlock(run: Execution) -> None:
    assert isinstance(run.node.stmt, Unlock | With)
    element = run.inside(run.node.stmt.ref)
    mode = run.node.stmt.mode if isinstance(run.node.stmt, Unlock) else "lock"
    run.next(release_lock(run.at, run.path, element, mode))


def _with(run: Execution) -> None:
    (_lock if run.node.phase == "enter" else _unlock)(run)


def _semaphore(run: Execution) -> None:
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


def _wait_event(run: Execution) -> None:
    assert isinstance(run.node.stmt, WaitEvent)
    element = run.inside(run.node.stmt.ref)
    run.path.wait_if(negation(element.pick(run.state, run.scene.layout.events[element.decl])))
    run.next(run.state, changed=False)


def _write_event(run: Execution) -> None:
    assert isinstance(run.node.stmt, WriteEvent)
    element = run.inside(run.node.stmt.ref)
    run.next(element.put(run.state, run.scene.layout.events[element.decl], run.node.stmt.value))


def _wait_cond(run: Execution) -> None:
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


def _wake(run: Execution) -> None:
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


def _schedule(run: Execution) -> None:
    assert isinstance(run.node.stmt, Schedule)
    element = run.inside(run.node.stmt.ref)
    cells = run.scene.layout.pending[element.decl]
    if not element.decl.oneshot:
        run.next(element.put(run.state, cells, True))
        return
    count = element.pick(run.state, cells)
    run.path.fail_if(equal(count, number(element.decl.max_count)), RANGE)
    run.next(element.put(run.state, cells, add(count, number(1))))


# ---------------------------------------------------------------- threads and bottom halves


def _spawn(run: Execution) -> None:
    assert isinstance(run.node.stmt, Spawn)
    thread, defined = run.at.member(run.node.stmt.thread)
    run.path.fail_if(negation(defined), RANGE)
    threads = range(max(thread.lo, 0), min(thread.hi, len(run.scene.program.threads) - 1) + 1)
    state = run.state
    idle = []
    for t in threads:
        cells = run.scene.layout.threads[t]
        is_t = equal(thread, number(t))
        idle.append(both(is_t, stands(run.state, cells, (NOT_SPAWNED, FINISHED))))
        entry = run.scene.layout.reachable[t][0].entry
        start = number(FINISHED if entry == EXIT else entry)
        state = state.with_value(cells.pc, choose(is_t, start, run.state.read(cells.pc)))
        state = state.with_value(cells.level, choose(is_t, number(0), run.state.read(cells.level)))
    run.path.fail_if(negation(any_of(idle)), SPAWN)
    run.next(state)


def _join(run: Execution) -> None:
    assert isinstance(run.node.stmt, Join)
    thread, defined = run.at.member(run.node.stmt.thread)
    run.path.fail_if(negation(defined), RANGE)
    done = [both(equal(thread, number(t)), stands(run.state, cells, (FINISHED,))) for t, cells in enumerate(run.scene.layout.threads)]
    run.path.wait_if(negation(any_of(done)))
    run.next(run.state, changed=False)


def _poll(run: Execution) -> None:
    assert isinstance(run.node.stmt, Poll)
    dispatch(run, run.node.stmt.blocking)


def _aio_wait(run: Execution) -> None:
    assert isinstance(run.node.stmt, AioWaitWhile)
    if run.node.phase == "poll":
        dispatch(run, True)
        return
    if run.node.phase == "enter":
        value, defined = run.at.in_context(run.scene.who, context_of(run.node))
        run.path.fail_if(negation(defined), RANGE)
        run.path.fail_if(negation(value), WRONG_CONTEXT)
    run.branch(run.node.stmt.condition, *run.node.targets)


def dispatch(run: Execution, blocking: bool) -> None:
    """Takes one pending bottom half, if there is one, and enters its body on top of the thread's stack."""
    context = context_of(run.node)
    pending = run.at.any_pending(context)
    level = run.scene.level.value
    run.path.fail_if(both(pending, negation(less(level, number(run.scene.program.bh_nesting)))), NESTING_CHECK)
    if blocking:
        run.path.wait_if(negation(pending))
    else:
        run.path.go(run.state, run.node.targets[0], True, negation(pending))
    entries = [(bh, i) for bh in run.scene.program.bhs if bh.context is context for i in range(bh.size or 1)]
    for position, (bh, i) in enumerate(entries):
        cell = run.scene.layout.pending[bh][i]
        left = subtract(run.state.read(cell), number(1)) if bh.oneshot else False
        taken = run.state.with_value(cell, left)
        entry = run.scene.cfg.bhs[bh, i].entry
        chosen = both(run.at.is_pending(bh, i), run.pick(position, len(entries)))
        if entry == EXIT:  # entered and left in one go
            run.path.go(taken, run.node.targets[0], True, chosen)
            continue
        for depth, saved in enumerate(run.scene.saved):
            taken = taken.with_value(saved, choose(equal(level, number(depth)), number(run.node.id), run.state.read(saved)))
        taken = taken.with_value(run.scene.level, add(level, number(1)))
        run.path.go(taken, entry, True, chosen)


MEANINGS: dict[type, Meaning] = {
    Skip: _skip,
    Assign: _assign,
    Return: _return,
    Call: _call,
    If: _test,
    While: _test,
    Choose: _choose,
    Invoke: _invoke,
    Assert: _assert,
    Assume: _assume,
    Await: _await,
    Lock: _lock,
    Unlock: _unlock,
    With: _with,
    WaitSem: _semaphore,
    PostSem: _semaphore,
    WaitEvent: _wait_event,
    WriteEvent: _write_event,
    WaitCond: _wait_cond,
    Wake: _wake,
    Schedule: _schedule,
    Spawn: _spawn,
    Join: _join,
    Poll: _poll,
    AioWaitWhile: _aio_wait,
}
