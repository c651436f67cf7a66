"""Statements as outcomes: one node executed in one state, by the moving thread of a scene.

In: a node, a state, and how choices are made. Out: its outcomes, exclusive for each way of choosing. Everything that waits says so; what
an `atomic` makes of that is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from formal.program import (
    NESTING,
    RANGE,
    AioWaitWhile,
    Assert,
    Assign,
    Assume,
    Await,
    Call,
    Choose,
    If,
    Invoke,
    Join,
    LocalDecl,
    Lock,
    Poll,
    PostSem,
    RefParam,
    Return,
    Schedule,
    Skip,
    Spawn,
    Unlock,
    WaitCond,
    WaitEvent,
    WaitSem,
    Wake,
    While,
    With,
    WriteEvent,
)
from formal.smt import signals, threads
from formal.smt.arguments import late_index
from formal.smt.cfg import Node
from formal.smt.execution import Execution
from formal.smt.outcomes import Outcome, Pick
from formal.smt.scene import Scene, State
from formal.smt.terms import add, both, choose, equal, less, negation, number

Meaning: TypeAlias = Callable[[Execution], None]


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
        run.path.fail_if(True, NESTING)
        return
    if run.node.site.root.is_thread:
        return
    count = number(here)
    for depth, cell in enumerate(run.scene.saved):
        polls = [n for n in run.scene.cfg.nodes.values() if n.site.active.get(name, 0) and isinstance(n.stmt, Poll | AioWaitWhile)]
        for poll in polls:
            held = both(equal(cell.value, number(poll.id)), less(number(depth), run.scene.level.value))
            count = add(count, choose(held, number(poll.site.active[name]), number(0)))
    run.path.fail_if(negation(less(count, number(bound))), NESTING)


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
        run.path.fail_if(True, NESTING)
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
    Lock: signals.execute_lock,
    Unlock: signals.execute_unlock,
    With: signals.execute_with,
    WaitSem: signals.execute_semaphore,
    PostSem: signals.execute_semaphore,
    WaitEvent: signals.execute_wait_event,
    WriteEvent: signals.execute_write_event,
    WaitCond: signals.execute_wait_cond,
    Wake: signals.execute_wake,
    Schedule: signals.execute_schedule,
    Spawn: threads.execute_spawn,
    Join: threads.execute_join,
    Poll: threads.execute_poll,
    AioWaitWhile: threads.execute_aio_wait,
}


def run_statement(scene: Scene, node: Node, state: State, pick: Pick) -> list[Outcome]:
    """The outcomes of one node in one state."""
    execution = Execution(scene, node, state, pick)
    MEANINGS[type(node.stmt)](execution)
    outcomes = execution.path.outcomes
    return outcomes if scene.loose is None else scene.loose(scene.layout, node, state, outcomes)
