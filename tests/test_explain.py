"""What a witness says of its violation: values and who set them, hops, what a lasso owes, which steps matter, and bottom halves."""

from __future__ import annotations

import pytest
from test_interp import Run, findings, program_of

from formal.interp import Machine, replay
from formal.verdict import Dispatch, Evidence, Fact, Hop, Loop, Move, Owed, Trace, Witness

CONTEXT = """
mutex BQL; context main when holds(BQL);
bh job on main { unlock BQL; aio_wait_while main (false); }
thread user { schedule job; }
thread vcpu { lock BQL; poll main; }
"""
CROSSED = (
    "mutex A; mutex B; thread t { lock A; lock B; unlock B; unlock A; } "
    "thread u { lock B; lock A; unlock A; unlock B; } thread v[2] { with A { skip; } } deadlock free;"
)


def witness(text: str, prop: str) -> Witness:
    trace = findings(text)[prop].trace
    assert trace is not None
    return replay(Machine(program_of(text)), trace)


def of(text: str, prop: str, *steps: str) -> Witness:
    """The run of these threads' steps, the last of which goes wrong unless the property is one of states."""
    run = Run(text)
    error = not prop.startswith(("deadlock", "invariant"))
    moves = [Move(run.ids[thread], run.step(thread)) for thread in (steps[:-1] if error else steps)]
    return replay(run.machine, Trace(prop, (*moves, *([Move(run.ids[steps[-1]], None)] if error else []))))


# ---------------------------------------------------------------- values


FACTS: list[tuple[str, str, tuple[str, ...], Evidence]] = [
    ("0..9 n; thread t { n = 3; assert x: n == 2; }", "assert.x", ("t", "t"), Fact("n", "3", 1)),
    ("bool f; thread t { assert x: f; }", "assert.x", ("t",), Fact("f", "false", None)),
    ("mutex L; thread t { lock L; unlock L; assert x: holds(L); }", "assert.x", ("t",) * 3, Fact("holds(L)", "false", 2)),
    ("thread_local bool f; thread t { f = true; assert x: !f; }", "assert.x", ("t", "t"), Fact("t.f", "true", 1)),
    ("0..3 a[3]; thread t { for i in 1..2 { a[i] = i; assert x: a[i] < 2; } }", "assert.x", ("t",) * 4, Fact("a[2]", "2", 3)),
    ("0..3 a[3]; thread t { 0..2 i = 1; a[i] = 2; skip; assert x: a[i] < 2; }", "assert.x", ("t",) * 4, Fact("a[i]", "2", 2)),
    ("proc p(ref mutex m) { assert x: holds(m); } mutex L; thread t { p(L); }", "assert.x", ("t",), Fact("holds(L)", "false", None)),
    ("0..2 n = 2; thread t { n = n + 1; }", "range", ("t",), Fact("n", "2", None)),
    ("0..3 n; thread t { atomic { n = 2; assert x: n == 3; } }", "assert.x", ("t",), Fact("n", "2", 1)),
    ("mutex L; thread t { lock L; lock L; }", "relock", ("t", "t"), Fact("holder of L", "t", 1)),
    ("mutex L; thread t { lock L; unlock L; unlock L; }", "not_owner", ("t",) * 3, Fact("holder of L", "nobody", 2)),
    ("mutex L; mutex M; thread t { lock L; lock M; assert x: false; }", "assert.x", ("t",) * 3, Fact("holder of M", "t", 2)),
    ("sem S max 1; thread t { post S; post S; }", "range", ("t", "t"), Fact("S.count", "1", 1)),
    ("thread t { spawn u; spawn u; } thread u { await false; }", "spawn", ("t", "t"), Fact("status of u", "running", 1)),
    ("bool f[w]; thread w[2] { f[self] = true; } invariant i: forall v in w: !f[v];", "invariant.i", ("w[1]",), Fact("f[w[1]]", "true", 1)),
    ("0..3 a[3] = 2; thread t { 0..2 i = 1; assert x: a[i] < 2; }", "assert.x", ("t", "t"), Fact("a[i]", "2", None)),
    ("bool f; context X when f; thread t { skip; assert x: in_context(X); }", "assert.x", ("t", "t"), Fact("f", "false", None)),
    (CONTEXT, "wrong_context", ("user", "vcpu", "vcpu", "vcpu", "vcpu"), Fact("holds(BQL)", "false", 4)),
    (CONTEXT, "wrong_context", ("user", "vcpu", "vcpu", "vcpu", "vcpu"), Fact("current_context(vcpu)", "none", 4)),
]


@pytest.mark.parametrize(("text", "prop", "steps", "fact"), FACTS)
def test_values_and_the_steps_that_set_them(text: str, prop: str, steps: tuple[str, ...], fact: Fact) -> None:
    assert fact in of(text, prop, *steps).why


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("a && b && c", ["b"]),
        ("!(a || b)", ["a"]),
        ("a && (b || c)", ["b", "c"]),
        ("a implies b", ["a", "b"]),
        ("!(b implies c)", ["b"]),
        ("(a ? b : c)", ["a", "b"]),
        ("n + m == 5", ["m", "n"]),
        ("forall k in 0..2: e[k]", ["e[1]"]),
        ("!(exists k in 0..2: e[k])", ["e[0]"]),
        ("(number of k in 0..2: e[k]) == 1", ["e[0]", "e[1]", "e[2]"]),
    ],
)
def test_only_what_decides_is_told(condition: str, told: list[str]) -> None:
    values = "bool a = true; bool b; bool c; 0..9 n; 0..9 m; bool e[3] = { true, false, true };"
    text = f"{values} thread t {{ skip; }} invariant i: {condition};"
    assert sorted(one.what for one in of(text, "invariant.i").why if isinstance(one, Fact)) == told


def test_of_a_long_condition_one_part_decides() -> None:
    text = f"bool a = true; bool b; thread t {{ skip; }} invariant i: {' && '.join(['a'] * 80)} && b;"
    assert of(text, "invariant.i").why == (Fact("b", "false", None),)


def test_what_was_set_last_comes_first() -> None:
    text = "0..9 n; 0..9 m; thread t { n = 1; m = 2; } invariant i: !(n == 1 && m == 2);"
    assert of(text, "invariant.i", "t", "t").why == (Fact("m", "2", 2), Fact("n", "1", 1))


# ---------------------------------------------------------------- deadlocks


def roles(found: Witness) -> list[tuple[str, str]]:
    return [(one.thread, one.role) for one in found.why if isinstance(one, Hop)]


def test_the_cycle_of_a_lock_order() -> None:
    found = of(CROSSED, "deadlock.lock_order", "t", "u")
    first, second, *behind = [one for one in found.why if isinstance(one, Hop)]
    assert (first.thread, first.kind, first.wants, first.by, first.since, first.role) == ("t", "lock", "B", ("u",), 2, "cycle")
    assert (second.thread, second.wants, second.by, second.since) == ("u", "A", ("t",), 1)
    assert first.spot is not None
    assert (first.spot.statement, first.spot.source.line, first.spot.stack) == ("lock B", 2, ("t",))
    assert [(one.thread, one.role) for one in behind] == [("v[0]", "hangs"), ("v[1]", "hangs")]
    assert found.involved == ("B", "A")
    assert "v[0..1] wait behind them." in found.explanation


def test_a_cycle_through_a_semaphore_and_a_thread_that_was_not_spawned() -> None:
    text = """
    mutex L; sem S max 1;
    thread t { lock L; wait S; }
    thread u { lock L; spawn w; post S; }
    thread w { post S; }
    thread v { loop { skip; } }
    deadlock free;
    """
    found = of(text, "deadlock.partial", "t")
    assert roles(found) == [("t", "cycle"), ("u", "cycle"), ("w", "needed")]
    hop = found.why[0]
    assert isinstance(hop, Hop)
    assert (hop.kind, hop.wants, hop.by, hop.since) == ("semaphore", "S", ("u", "w"), None)
    assert "w does not run, and only u could spawn it" in found.explanation


def test_where_there_is_no_cycle_the_waiting_has_an_origin() -> None:
    text = "event E; mutex L; thread t { lock L; wait E; } thread u { lock L; } deadlock free;"
    found = of(text, "deadlock.global", "t")
    assert roles(found) == [("t", "stuck"), ("u", "hangs")]
    assert "t waits for E, which nobody could set" in found.explanation


def test_a_plain_cycle_is_told_sooner_than_a_longer_one() -> None:
    text = """
    mutex A; mutex B; mutex C;
    thread a { lock A; lock B; } thread b { lock B; lock C; } thread c { lock C; choose { lock A; } or { lock B; } }
    deadlock free;
    """
    run = Run(text)
    moves = [Move(run.ids[thread], run.step(thread)) for thread in ("a", "b", "c")]
    moves.append(Move(run.ids["c"], run.step("c", "branch 2")))
    assert roles(replay(run.machine, Trace("deadlock.global", tuple(moves)))) == [("b", "cycle"), ("c", "cycle"), ("a", "hangs")]


def test_a_cycle_of_threads_that_are_not_idle_is_told_sooner() -> None:
    text = """
    mutex A; mutex B; sem S max 1; sem R max 1;
    thread t { lock A; wait S; post R; }
    thread u { idle: wait R; post S; }
    thread w { lock B; post S; }
    thread x { lock B; lock A; }
    deadlock free;
    """
    assert roles(of(text, "deadlock.global", "t", "x")) == [("w", "cycle"), ("x", "cycle"), ("t", "cycle"), ("u", "needed")]


def test_waiting_for_oneself_is_no_cycle() -> None:
    found = of("sem S max 1; thread t { wait S; post S; } deadlock free;", "deadlock.global")
    assert roles(found) == [("t", "stuck")]
    assert "t waits for S, which only t itself, later on could post." in found.explanation


def test_a_long_circle_is_told_in_few_words() -> None:
    text = "mutex f[8]; thread p[i: 8] { lock f[i]; lock f[(i + 1) % 8]; } deadlock free;"
    found = of(text, "deadlock.global", *(f"p[{i}]" for i in range(8)))
    assert "; and so on, 5 more; p[7] waits for f[0]" in found.explanation
    assert [name for name, _ in roles(found)] == [f"p[{i}]" for i in range(8)]


# ---------------------------------------------------------------- lassos


def test_what_a_lasso_owes_and_whom_it_leaves_behind() -> None:
    text = """
    mutex L; bool asked; bool got;
    thread t { asked = true; lock L; got = true; }
    thread u { loop { lock L; unlock L; } }
    liveness served: asked leads to got;
    """
    found = witness(text, "liveness.served")
    assert Owed("got", "asked", next(step.step for step in found.steps if step.statement == "asked = true")) in found.why
    loop = next(one for one in found.why if isinstance(one, Loop))
    assert (loop.last - loop.first, loop.movers) == (1, ("u",))
    hop = found.why[-1]
    assert isinstance(hop, Hop)
    assert (hop.thread, hop.role, hop.wants, hop.by, hop.since) == ("t", "starved", "L", ("u",), None)
    assert [found.steps[number - 1].statement for number in hop.able] == ["unlock L"]
    assert "t could move in some of its 2 states, but not in all" in found.explanation


def test_a_thread_that_can_never_go_on() -> None:
    text = "bool x; event E; thread t { wait E; x = true; } thread u { loop { skip; } } liveness l: eventually x;"
    hop = witness(text, "liveness.l").why[-1]
    assert isinstance(hop, Hop)
    assert (hop.thread, hop.wants, hop.able, hop.by) == ("t", "E", (), ())


def test_who_could_go_on_now_and_then_is_told_first() -> None:
    text = """
    event E; mutex L; bool x;
    thread a { wait E; }
    thread b { lock L; x = true; }
    thread u { loop { lock L; unlock L; } }
    liveness l: eventually x;
    """
    assert [one.thread for one in witness(text, "liveness.l").why if isinstance(one, Hop)] == ["b", "a"]


def test_an_execution_that_ends_has_hops_in_place_of_a_loop() -> None:
    found = witness(f"{CROSSED} liveness done: eventually finished(t) && finished(u);", "liveness.done")
    assert not any(isinstance(one, Loop) for one in found.why)
    assert {"t", "u"} <= {one.thread for one in found.why if isinstance(one, Hop) and one.role == "cycle"}


# ---------------------------------------------------------------- bottom halves


def test_what_became_of_each_bottom_half() -> None:
    text = """
    context X; bh b on X { skip; skip; } oneshot bh n on X max 2 { skip; }
    thread t { schedule b; schedule n; schedule n; }
    thread u { poll X; poll X; skip; assert x: false; }
    disable range;
    """
    run = Run(text)
    moves = [Move(run.ids["t"], run.step("t")) for _ in range(3)]
    for step in ("b", None, None, "n", None):
        moves.append(Move(run.ids["u"], run.step("u", f"dispatch {step}") if step else run.step("u")))
    moves += [Move(run.ids["u"], run.step("u")), Move(run.ids["u"], None)]
    found = replay(run.machine, Trace("assert.x", tuple(moves)))
    assert found.dispatches == (Dispatch("b", 1, 4, 6), Dispatch("n", 2, 7, 8), Dispatch("n", 3, None, None))


def test_a_call_behind_a_bottom_half_is_not_taken_for_it() -> None:
    text = "context X; bh b on X { skip; } proc p() { skip; assert x: false; } thread t { schedule b; poll X; p(); }"
    assert of(text, "assert.x", *"ttttt").dispatches == (Dispatch("b", 1, 2, 3),)


def test_one_that_runs_at_the_end() -> None:
    found = of(CONTEXT, "wrong_context", "user", "vcpu", "vcpu", "vcpu", "vcpu")
    assert found.dispatches == (Dispatch("job", 1, 3, None),)
    assert "It runs job, which user scheduled at step 1 and vcpu dispatched at step 3." in found.explanation


# ---------------------------------------------------------------- the steps that matter


def test_locks_that_come_and_go_do_not_matter() -> None:
    text = """
    mutex L; mutex M; bool x;
    thread t { lock L; unlock L; skip; lock M; unlock M; lock L; x = true; unlock L; }
    thread u { assert a: !x; }
    """
    assert of(text, "assert.a", *"tttttttt", "u").key_steps == (7, 9)
    held = text.replace("unlock L; }", "}").replace("assert a: !x", "assert a: !holds(t, L)")
    assert of(held, "assert.a", *"ttttttt", "u").key_steps == (6, 8)


def test_the_last_step_of_who_waits_matters_and_of_who_hangs_on_it_does_not() -> None:
    text = CROSSED.replace("lock A; lock B;", "lock A; skip; lock B;").replace("{ with A", "{ skip; with A")
    assert of(text, "deadlock.global", "v[0]", "t", "t", "v[1]", "u").key_steps == (2, 3, 5)


def test_getting_past_an_event_matters() -> None:
    text = "event E; thread t { set E; } thread u { wait E; skip; assert a: !is_set(E); }"
    assert of(text, "assert.a", *"tuuu").key_steps == (1, 2, 4)


def test_who_slept_and_who_woke_it() -> None:
    text = """
    mutex L; cond C; 0..3 n;
    thread t { lock L; wait C with L; assert a: n == 0; }
    thread u { lock L; n = 1; signal C; unlock L; skip; }
    """
    assert of(text, "assert.a", "t", "t", "u", "u", "u", "u", "t", "t").key_steps == (1, 2, 3, 4, 5, 6, 7, 8)


def test_a_bottom_half_that_nobody_runs_does_not_matter() -> None:
    text = CONTEXT.replace("bh job", "bh other on main { skip; } bh job").replace("schedule job;", "schedule other; schedule job;")
    run = Run(text)
    moves = [Move(run.ids[thread], run.step(thread)) for thread in ("user", "user", "vcpu")]
    moves += [Move(run.ids["vcpu"], run.step("vcpu", "dispatch job")), Move(run.ids["vcpu"], run.step("vcpu")), Move(run.ids["vcpu"], None)]
    assert replay(run.machine, Trace("wrong_context", tuple(moves))).key_steps == (2, 3, 4, 5, 6)


def test_a_step_names_its_object_and_its_part() -> None:
    text = "mutex f[2]; proc p(ref mutex m) { with m { skip; } } thread t { p(f[1]); assert x: false; }"
    steps = of(text, "assert.x", *"tttt").steps
    assert [(step.about, step.phase) for step in steps] == [("f[1]", "enter"), ("", "run"), ("f[1]", "leave"), ("", "run")]
