"""Traces are executed again, and judged; witnesses say what happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_interp import Run, findings, program_of

from formal.interp import Machine, ReplayError, replay
from formal.verdict import Move, Trace, Witness

RACE = "mutex L; bool x; thread a { lock L; x = true; unlock L; } thread b { lock L; assert never: !x; unlock L; }"


def witness(text: str, prop: str) -> Witness:
    trace = findings(text)[prop].trace
    assert trace is not None
    return replay(Machine(program_of(text)), trace)


def moves(run: Run, *threads: str) -> tuple[Move, ...]:
    return tuple(Move(run.ids[thread], run.step(thread)) for thread in threads)


def test_witness() -> None:
    found = witness(RACE, "assert.never")
    assert [(step.thread, step.statement) for step in found.steps][-2:] == [("b", "lock L"), ("b", "assert never: !x")]
    assert found.context_switches == 1
    assert found.steps[0].changes == {"L.owner": ("none", "a")}
    assert found.steps[1].changes == {"x": (False, True)}
    assert found.steps[-1].stack == ("b",)
    assert found.steps[0].source.line == 2
    assert "x is true" in found.explanation
    assert "L is held by b since step 4" in found.explanation


def test_a_state_that_differs_is_named() -> None:
    run = Run(RACE)
    move = moves(run, "a")[0]
    assert move.after is not None
    wrong = Trace("assert.never", (replace(move, after={**move.after, "L.owner": "b"}),))
    with pytest.raises(ReplayError, match=r"step 1: a at `lock L` \(run\): L.owner is 'b' in the trace, 'a' in the execution"):
        replay(run.machine, wrong)


@pytest.mark.parametrize(
    ("threads", "last", "message"),
    [
        (("a",), "b", r"step 2: b at `lock L` \(run\) has to wait"),
        (("a", "a"), "a", r"step 3: a at `unlock L` \(run\) does not violate assert.never"),
        (("a", "a", "a"), "a", r"step 4: a is finished"),
    ],
)
def test_a_move_that_is_no_step_is_refused(threads: tuple[str, ...], last: str, message: str) -> None:
    run = Run(RACE)
    trace = Trace("assert.never", (*moves(run, *threads), Move(run.ids[last], None)))
    with pytest.raises(ReplayError, match=message):
        replay(run.machine, trace)


def test_an_end_that_violates_nothing_is_refused() -> None:
    run = Run("bool x; thread t { x = true; } thread u { await x; } invariant fine: !x || true; deadlock free;")
    start = moves(run, "t")
    claims = (("invariant.fine", "the invariant holds"), ("deadlock.global", "no such deadlock"), ("assert.t.1", "no property"))
    for prop, message in claims:
        with pytest.raises(ReplayError, match=message):
            replay(run.machine, Trace(prop, start))


LOOP = "bool x; bool y; thread t { loop { y = !y; } } thread u { x = true; } liveness l: eventually x;"


@pytest.mark.parametrize(
    ("threads", "loop_to", "message"),
    [
        (("t", "t"), 0, "u could move all along the loop"),
        (("t",), 0, "the last state is not the state after step 0"),
        (("t", "t"), None, "no lasso"),
        (("u", "t", "t"), 1, "happens in the loop"),
    ],
)
def test_a_lasso_that_is_none_is_refused(threads: tuple[str, ...], loop_to: int | None, message: str) -> None:
    run = Run(LOOP)
    with pytest.raises(ReplayError, match=message):
        replay(run.machine, Trace("liveness.l", moves(run, *threads), loop_to))


def test_executions_that_look_the_same_are_all_followed() -> None:
    proc = "proc p() returns 0..9 { atomic { choose { return 1; } or { return 2; } } }"
    run = Run(f"0..9 x; {proc} thread t {{ x = p(); }} invariant i: x != 2;")
    one, other = (run.machine.view(outcome.after) for outcome in run.outcomes("t") if outcome.after is not None)
    assert one == other
    path = (Move(0, run.step("t", "branch 2")), *moves(run, "t"))
    assert len(replay(run.machine, Trace("invariant.i", path)).steps) == 2


EXPLAINED = [
    ("mutex L; thread t { lock L; lock L; }", "relock", "t executes `lock L`"),
    ("mutex L; thread t { unlock L; }", "not_owner", "it does not hold L"),
    ("0..2 n = 2; thread t { n = n + 1; }", "range", "`n + 1` is 3, outside of 0..2: n is 2"),
    ("0..2 n; thread t { n = 1 / n; }", "range", "`1 / n` is undefined: n is 0"),
    ("sem S max 1 = 1; thread t { post S; }", "range", "S is at its maximum"),
    ("thread t { 0..2 x = 3; }", "range", "`3` is 3, outside of 0..2"),
    ("0..1 n; proc p() returns 0..2 { return 2; } thread t { n = p(); }", "range", "outside of its range"),
    ("thread t { spawn u; spawn u; } thread u { await false; }", "spawn", "u is running already"),
    ("mutex L; bool x; thread t { atomic { x = true; await !x; } }", "atomic", "t executes `await !x`"),
    ("0..3 n; proc p() { n = 1; p(); } thread t { p(); } nesting 1;", "nesting", "t > p"),
    (
        'enum k { A, B } k c; mutex L; thread t { assert c == B && owner(L) == t "why"; }',
        "assert.t.1",
        '"why"` (<text>:2): that is false: c is A.',
    ),
    ("bool f[w]; thread w[2] { f[self] = true; } invariant i: forall v in w: !f[v];", "invariant.i", "f[w[0]] is true"),
    ("bool x = true; thread t { skip; } invariant i: !x;", "invariant.i", "In the initial state, `!x` is false: x is true"),
]


@pytest.mark.parametrize(("text", "prop", "said"), EXPLAINED)
def test_explanation(text: str, prop: str, said: str) -> None:
    assert said in witness(text, prop).explanation


def test_explanation_of_a_wrong_context() -> None:
    text = """
    mutex BQL; context main when holds(BQL);
    bh job on main { unlock BQL; aio_wait_while main (false); }
    thread user { schedule job; }
    thread vcpu { lock BQL; poll main; }
    """
    said = witness(text, "wrong_context").explanation
    assert "It runs job, which user scheduled at step 1 and vcpu dispatched at step 3." in said
    assert "vcpu is not in main, which has no home; holds(BQL) is false since step 4." in said


def test_explanation_of_deadlocks() -> None:
    text = """
    mutex L; sem S max 1; context X; bh b on X { lock L; post S; unlock L; }
    thread t { lock L; schedule b; wait S; unlock L; }
    thread u { poll X blocking; }
    thread v { loop { skip; } }
    deadlock free;
    """
    said = witness(text, "deadlock.partial").explanation
    assert "t waits for S, which only u could post; u waits for L, which t holds since step 1." in said
    assert said.endswith("v can go on, and could end none of these waits.")


def test_explanation_of_liveness() -> None:
    text = LOOP.replace("thread u { x = true; }", "")
    assert "Steps 1 to 2 can repeat for ever, by t alone, and `x` never holds" in witness(text, "liveness.l").explanation
    ended = witness("bool x; thread t { skip; } liveness l: !x leads to x;", "liveness.l")
    assert "`!x` held at the start; `x` is owed since." in ended.explanation
    assert "After step 1 no thread can move" in ended.explanation
    assert ended.loop_to == len(ended.steps)
