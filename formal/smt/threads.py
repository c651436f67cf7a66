"""The meaning of starting and awaiting threads, and of polling for bottom halves.

In: an execution. Out: its outcomes. It must not know data.
"""

from __future__ import annotations

from formal.program import (
    NESTING,
    RANGE,
    SPAWN,
    WRONG_CONTEXT,
    AioWaitWhile,
    Join,
    Poll,
    Spawn,
)
from formal.smt.cfg import EXIT, FINISHED, NOT_SPAWNED
from formal.smt.execution import Execution
from formal.smt.references import context_of
from formal.smt.scene import stands
from formal.smt.terms import add, any_of, both, choose, equal, less, negation, number, subtract


def execute_spawn(run: Execution) -> None:
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


def execute_join(run: Execution) -> None:
    assert isinstance(run.node.stmt, Join)
    thread, defined = run.at.member(run.node.stmt.thread)
    run.path.fail_if(negation(defined), RANGE)
    done = [both(equal(thread, number(t)), stands(run.state, cells, (FINISHED,))) for t, cells in enumerate(run.scene.layout.threads)]
    run.path.wait_if(negation(any_of(done)))
    run.next(run.state, changed=False)


def execute_poll(run: Execution) -> None:
    assert isinstance(run.node.stmt, Poll)
    dispatch(run, run.node.stmt.blocking)


def execute_aio_wait(run: Execution) -> None:
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
    run.path.fail_if(both(pending, negation(less(level, number(run.scene.program.bh_nesting)))), NESTING)
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
