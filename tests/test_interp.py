"""The interpreter against docs/semantics.md, line by line: what each statement waits for, does, and gets wrong."""

from __future__ import annotations

import pytest

from formal.engines import explicit
from formal.engines.protocol import Event, Finding, Options
from formal.frontend import load_text
from formal.interp import Machine, Outcome, State, replay
from formal.program import Program
from formal.verdict import Verdict, View


def program_of(text: str) -> Program:
    loaded = load_text(f"protocol test;\n{text}\ninvariant something_to_check: true;")
    assert loaded.program is not None, [diagnostic.message for diagnostic in loaded.diagnostics]
    return loaded.program


def findings(text: str, depth: int | None = None) -> dict[str, Finding]:
    """What the explicit engine says; every violation replays to its length."""
    program = program_of(text)
    found: dict[str, Finding] = {}

    def tell(event: Event) -> None:
        if isinstance(event, Finding):
            assert event.prop not in found
            found[event.prop] = event

    explicit.run(program, Options(tuple(prop.name for prop in program.properties), depth), tell)
    machine = Machine(program)
    for finding in found.values():
        if finding.trace is not None:
            assert len(replay(machine, finding.trace).steps) == finding.depth
    return found


def violations(text: str) -> dict[str, int | None]:
    """Violated properties, with the length of the shortest witness."""
    return {name: f.depth for name, f in findings(text).items() if f.verdict is Verdict.VIOLATED}


class Run:
    """One execution, driven by hand: `step("t")` executes the only outcome of t's next step, `step("t", "choice")` one of several."""

    def __init__(self, text: str) -> None:
        self.program = program_of(text)
        self.machine = Machine(self.program)
        self.state: State = self.machine.initial()
        self.ids = {thread.name: thread.id for thread in self.program.threads}

    def outcomes(self, thread: str) -> list[Outcome]:
        return self.machine.steps(self.state, self.ids[thread])

    def step(self, thread: str, *choice: str) -> View:
        outcomes = [one for one in self.outcomes(thread) if not choice or one.choice == choice]
        assert len(outcomes) == 1, outcomes
        assert outcomes[0].after is not None, outcomes[0].error
        self.state = outcomes[0].after
        return self.machine.view(self.state)

    def error(self, thread: str) -> str | None:
        (outcome,) = self.outcomes(thread)
        assert outcome.after is None
        return outcome.error

    def waits(self, thread: str) -> bool:
        return not self.outcomes(thread) and self.view[f"{thread}.status"] == "running"

    def at(self, thread: str) -> tuple[str, str]:
        place = self.machine.place(self.state, self.ids[thread])
        assert place is not None
        return place.info.text, place.phase

    def stack(self, thread: str) -> tuple[str, ...]:
        place = self.machine.place(self.state, self.ids[thread])
        return () if place is None else place.stack

    @property
    def view(self) -> View:
        return self.machine.view(self.state)


# ---------------------------------------------------------------- errors, one line of the table each

ERRORS = [
    ("mutex L; thread t { lock L; lock L; }", "relock", 2),
    ("mutex L; thread t { with L { lock L; } }", "relock", 2),
    ("mutex L; thread t { unlock L; }", "not_owner", 1),
    ("mutex L; thread t { with L { unlock L; } }", "not_owner", 3),
    ("recursive mutex L max 2; thread t { lock L; lock L; lock L; }", "range", 3),
    ("recursive mutex L max 2; thread t { lock L; unlock L; unlock L; }", "not_owner", 3),
    ("rwlock R; thread t { rdlock R; rdlock R; }", "relock", 2),
    ("rwlock R; thread t { rdlock R; wrlock R; }", "relock", 2),
    ("rwlock R; thread t { wrlock R; rdlock R; }", "relock", 2),
    ("rwlock R; thread t { wrlock R; wrlock R; }", "relock", 2),
    ("rwlock R; thread t { wrlock R; rdunlock R; }", "not_owner", 2),
    ("rwlock R; thread t { rdlock R; wrunlock R; }", "not_owner", 2),
    ("sem S max 1 = 1; thread t { post S; }", "range", 1),
    ("mutex L; cond C; thread t { wait C with L; }", "not_owner", 1),
    ("context X; oneshot bh b on X max 1 { } thread t { schedule b; schedule b; }", "range", 2),
    ("0..2 n = 2; thread t { n = n + 1; }", "range", 1),
    ("0..2 n = 0; thread t { n = 1 / n; }", "range", 1),
    ("bool a[2]; 0..2 n = 2; thread t { a[n] = true; }", "range", 1),
    ("bool a[2]; 0..2 n = 2; bool x; thread t { x = a[n]; }", "range", 1),
    ("mutex L[2]; 0..2 n = 2; thread t { lock L[n]; }", "range", 1),
    ("mutex L[2]; thread t[i: 1] { with L[i + 2] { skip; } }", "range", 1),
    ("thread t { 0..2 x = 3; }", "range", 1),
    ("0..1 n; thread t { if (1 / n == 1) { skip; } }", "range", 1),
    ("0..1 n; thread t { while (1 / n == 1) { skip; } }", "range", 1),
    ("0..1 n; thread t { await 1 / n == 1; }", "range", 1),
    ("0..1 n; thread t { assert 1 / n == 1; }", "range", 1),
    ("0..1 n; thread t { assume 1 / n == 1; }", "range", 1),
    ("0..3 n; proc p(0..2 a) { n = a; } thread t { p(3); }", "range", 1),
    ("0..1 n; proc p(0..2 a) { } thread t { p(1 / n); }", "range", 1),
    ("0..1 n; proc p() requires 1 / n == 1 { } thread t { p(); }", "range", 1),
    ("0..1 n; proc p() returns 0..2 { return 1 / n; } thread t { 0..2 x = p(); }", "range", 1),
    ("0..4 n = 3; proc p() returns 0..2 { return n; } thread t { 0..4 x = p(); }", "range", 1),
    ("0..1 n; proc p() returns 0..2 { return 2; } thread t { n = p(); }", "range", 2),
    ("proc p() requires false { } thread t { p(); }", "requires.p", 1),
    ("proc p() requires true requires false { } thread t { p(); }", "requires.p.2", 2),
    ("proc p() ensures false { } thread t { p(); }", "ensures.p", 1),
    ("proc p() returns 0..2 ensures result < 2 { return 2; } thread t { p(); }", "ensures.p", 2),
    ("thread t { assert false; }", "assert.t.1", 1),
    ('thread t { assert true; assert sure: 1 > 2 "why"; }', "assert.sure", 2),
    ("context X; thread t { aio_wait_while X (false); }", "wrong_context", 1),
    ("context X home t; 0..1 n; thread t { aio_wait_while X (1 / n == 1); }", "range", 1),
    ("context X; bh b on X { poll X; } thread t { schedule b; poll X; } thread u { schedule b; } nesting 1;", "nesting", 4),
    ("0..3 n; proc p() { n = 1; p(); } thread t { p(); } nesting 2;", "nesting", 5),
    ("thread t { spawn u; spawn u; } thread u { await false; }", "spawn", 2),
    ("0..3 n = 3; thread t { spawn u[n]; } thread u[2] { skip; }", "range", 1),
    ("0..3 n = 3; thread t { join u[n]; } thread u[2] { skip; }", "range", 1),
    ("mutex L; bool x; thread t { atomic { x = true; await !x; } }", "atomic", 1),
    ("0..100 n; thread t { atomic { while (n == 0) { skip; } } }", "atomic", 1),
    ("0..100 n; thread t { atomic { while (n < 64) { n = n + 1; } } }", "atomic", 1),
    ("0..100 n; thread t { atomic { for i in 0..1 { n = 0; while (n < 32) { n = n + 1; } } } }", "atomic", 1),
    ("bool x; thread t { atomic { x = true; assert !x; } }", "assert.t.1", 1),
    ("hook H; callback c for H requires false { } thread t { invoke H; }", "requires.c", 1),
]


@pytest.mark.parametrize(("text", "prop", "depth"), ERRORS)
def test_error(text: str, prop: str, depth: int) -> None:
    assert violations(text) == {prop: depth}


CORRECT = [
    "mutex L; thread t[2] { with L { skip; } }",
    "recursive mutex L max 2; thread t[2] { lock L; lock L; unlock L; unlock L; }",
    "rwlock R; thread t[2] { rdlock R; rdunlock R; wrlock R; wrunlock R; }",
    "0..2 n; thread t { n = n != 0 && 8 / n > 1 ? 1 : 2; }",
    "0..100 n; thread t { atomic { while (n < 63) { n = n + 1; } } }",
    "0..100 n; thread t { atomic { for i in 0..1 { n = 0; while (n < 31) { n = n + 1; } } } }",
    "mutex L; bool x; thread t { atomic { await x; x = false; } } thread u { x = true; }",
    "context X; bh b on X { } thread t { schedule b; schedule b; poll X; poll X; }",
    "proc p() { p(); } thread t { choose { skip; } or { p(); } } disable nesting;",
    "thread t { spawn u; join u; spawn u; } thread u { skip; }",
]


@pytest.mark.parametrize("text", CORRECT)
def test_correct(text: str) -> None:
    found = findings(text)
    assert {finding.verdict for finding in found.values()} <= {Verdict.PROVED}


# ---------------------------------------------------------------- what steps wait for and do


def test_mutex() -> None:
    run = Run("mutex L; thread a { lock L; unlock L; } thread b { lock L; }")
    assert run.view["L.owner"] == "none"
    assert run.step("a")["L.owner"] == "a"
    assert run.waits("b")
    assert run.step("a")["a.status"] == "finished"
    assert run.step("b")["L.owner"] == "b"


def test_recursive_mutex_counts() -> None:
    run = Run("recursive mutex L max 3; thread a { lock L; lock L; unlock L; unlock L; } thread b { lock L; }")
    assert run.step("a")["L.count"] == 1
    assert run.step("a")["L.count"] == 2
    assert run.step("a")["L.owner"] == "a"
    assert run.waits("b")
    assert (run.step("a")["L.owner"], run.view["L.count"]) == ("none", 0)


def test_rwlock() -> None:
    run = Run("rwlock R; thread a { rdlock R; rdunlock R; } thread b { rdlock R; rdunlock R; } thread c { wrlock R; wrunlock R; }")
    run.step("b")
    assert run.step("a")["R.readers"] == ("a", "b")
    assert run.waits("c")
    run.step("a")
    assert run.step("b")["R.readers"] == ()
    assert run.step("c")["R.writer"] == "c"


def test_semaphore_and_event() -> None:
    run = Run("sem S max 2; event E; thread a { wait S; wait E; wait E; reset E; } thread b { post S; set E; }")
    assert run.waits("a")
    assert run.step("b")["S.count"] == 1
    assert run.step("a")["S.count"] == 0
    assert run.waits("a")
    assert run.step("b")["E.set"] is True
    run.step("a")
    assert run.step("a")["E.set"] is True
    assert run.step("a")["E.set"] is False


def test_condition_variable() -> None:
    run = Run(
        "mutex L; cond C; thread a[2] { lock L; wait C with L; unlock L; } thread b { signal C; signal C; signal C; lock L; unlock L; }"
    )
    run.step("a[0]")
    assert run.at("a[0]") == ("wait C with L", "wait")
    assert run.step("a[0]")["C.waiters"] == ("a[0]",)
    assert run.at("a[0]") == ("wait C with L", "wake")
    assert run.view["L.owner"] == "none"
    run.step("a[1]")
    run.step("a[1]")
    assert [one.choice for one in run.outcomes("b")] == [("wake a[0]",), ("wake a[1]",)]
    run.step("b", "wake a[1]")
    assert run.waits("a[0]")
    assert run.step("b")["C.waiters"] == ()
    run.step("b")
    run.step("b")
    assert run.waits("a[0]")
    assert run.waits("a[1]")
    run.step("b")
    assert run.step("a[0]")["L.owner"] == "a[0]"


def test_broadcast_wakes_all() -> None:
    run = Run("mutex L; cond C; thread a[2] { lock L; wait C with L; unlock L; } thread b { broadcast C; }")
    for name in ("a[0]", "a[1]"):
        run.step(name)
        run.step(name)
    assert run.step("b")["C.waiters"] == ()


WITH = "mutex L; bool x; thread t { loop { with L { if (x) { break; } x = true; continue; } } x = false; }"


def test_with_is_given_back_on_every_way_out() -> None:
    run = Run(WITH)
    assert run.at("t") == ("with L", "enter")
    assert run.step("t")["L.owner"] == "t"
    run.step("t")
    run.step("t")
    assert run.at("t") == ("with L", "leave")
    assert run.step("t")["L.owner"] == "none"
    assert run.at("t") == ("with L", "enter")
    run.step("t")
    run.step("t")
    assert run.at("t") == ("with L", "leave")
    run.step("t")
    assert run.at("t") == ("x = false", "run")


def test_with_gives_back_the_lock_that_it_took() -> None:
    run = Run("mutex L[2]; 0..1 n; proc p(ref mutex m) { with m { n = 1; } } thread t { p(L[n]); }")
    run.step("t")  # the call evaluates the index
    assert run.step("t")["L[0].owner"] == "t"
    run.step("t")
    assert run.step("t")["L[0].owner"] == "none"


def test_return_leaves_guards_and_then_meets_ensures() -> None:
    run = Run("mutex L; 0..9 x; proc p() returns 0..9 ensures result == 3 && !holds(L) { with L { return 3; } } thread t { x = p(); }")
    run.step("t")
    run.step("t")
    assert run.at("t") == ("with L", "leave")
    run.step("t")
    assert run.at("t")[0].startswith("ensures")
    run.step("t")
    assert run.at("t")[1] == "assign"
    assert run.step("t")["x"] == 3


# ---------------------------------------------------------------- bottom halves


def test_poll_dispatches_in_this_thread() -> None:
    run = Run("context X; bool x; bh b[i: 2] on X { x = i == 1; } thread t { poll X; schedule b[1]; schedule b[0]; poll X; }")
    run.step("t")
    run.step("t")
    assert run.step("t")["b[0].pending"] is True
    assert [one.choice for one in run.outcomes("t")] == [("dispatch b[0]",), ("dispatch b[1]",)]
    view = run.step("t", "dispatch b[1]")
    assert (view["t.stack"], view["b[1].pending"]) == (("t", "b[1]"), False)
    assert run.step("t")["x"] is True
    assert run.view["t.status"] == "finished"


def test_blocking_poll_waits() -> None:
    run = Run("context X; oneshot bh b on X max 2 { skip; } thread t { poll X blocking; } thread u { schedule b; schedule b; }")
    assert run.waits("t")
    run.step("u")
    assert run.step("u")["b.pending"] == 2
    assert run.step("t")["b.pending"] == 1


def test_aio_wait_while_tests_after_each_body() -> None:
    bodies = "oneshot bh b on X max 2 { n = n - 1; } thread t { aio_wait_while X (n > 0); } thread u { schedule b; schedule b; }"
    run = Run(f"context X home t; 0..2 n = 2; {bodies}")
    assert run.at("t")[1] == "enter"
    run.step("t")
    assert run.at("t")[1] == "poll"
    assert run.waits("t")
    run.step("u")
    run.step("u")
    run.step("t")
    assert run.stack("t") == ("t", "b")
    run.step("t")
    assert run.at("t")[1] == "test"
    run.step("t")
    run.step("t")
    run.step("t")
    assert run.step("t")["t.status"] == "finished"


def test_aio_wait_while_is_done_at_once() -> None:
    run = Run("context X home t; thread t { aio_wait_while X (false); }")
    assert run.step("t")["t.status"] == "finished"


def test_nested_bottom_halves_end_innermost_first() -> None:
    run = Run("context X; bh a on X { poll X; skip; } bh b on X { skip; } thread t { schedule a; schedule b; poll X; }")
    run.step("t")
    run.step("t")
    run.step("t", "dispatch a")
    assert run.step("t")["t.stack"] == ("t", "a", "b")
    assert run.step("t")["t.stack"] == ("t", "a")


def test_contexts() -> None:
    text = """
    context X home t;  context Y when holds(L);  context Z when flag;
    mutex L; thread_local bool flag;
    enum where { NOWHERE, IN_X, IN_Y, IN_Z }
    thread t { skip; }
    thread u { lock L; flag = true; unlock L; }
    invariant i: (current_context(t) == X) && !in_context(t, Y) && in_context(t, X) && (holds(u, L) == in_context(u, Y))
        && (current_context(u) == (holds(u, L) ? Y : u.flag ? Z : none));
    """
    assert findings(text)["invariant.i"].verdict is Verdict.PROVED


# ---------------------------------------------------------------- control


def test_control_takes_no_step() -> None:
    run = Run("bool x; proc p() { x = true; } thread t { for i in 0..1 { loop { p(); break; } } }")
    run.step("t")
    assert run.stack("t") == ("t", "p")
    assert run.step("t")["t.status"] == "finished"


def test_label_on_control_is_a_step() -> None:
    run = Run("bool x; proc p() { x = true; } thread t { here: p(); } invariant !at(t, here);")
    assert run.stack("t") == ("t",)
    assert run.machine.broken_invariants(run.state) == ("invariant.1",)
    run.step("t")
    assert run.stack("t") == ("t", "p")


def test_locals_live_from_their_declaration_to_the_end_of_the_block() -> None:
    run = Run("0..9 g; thread t { 0..9 x = 1; { 0..9 y = x + 1; g = y; } g = x; bool z; skip; }")
    assert "t/0.x" not in run.view
    assert run.step("t")["t/0.x"] == 1
    assert run.step("t")["t/0.y"] == 2
    view = run.step("t")
    assert view["g"] == 2
    assert "t/0.y" not in view
    assert run.step("t")["g"] == 1
    assert run.step("t")["t/0.z"] is False


def test_a_loop_declares_anew() -> None:
    run = Run("0..9 g; thread t { for i in 0..1 { 0..9 x = g + i; g = x + 1; } }")
    assert [run.step("t")["g"] for _ in range(4)] == [0, 1, 1, 3]


def test_value_and_ref_parameters() -> None:
    text = (
        "0..9 g; 0..9 a[3]; 0..2 n = 1; proc p(0..9 v, ref 0..9 w) { v = v + 1; w = v; } thread t { 0..9 x; p(3, x); g = x; p(g, a[n]); }"
    )
    run = Run(text)
    run.step("t")
    view = run.step("t")
    assert (view["t.stack"], view["t/1.v"]) == (("t", "p"), 3)
    run.step("t")
    assert run.step("t")["t/0.x"] == 4
    assert run.step("t")["g"] == 4
    run.step("t")
    run.step("t")
    assert run.step("t")["a[1]"] == 5


def test_a_ref_index_is_evaluated_at_the_call() -> None:
    run = Run("bool a[2]; 0..1 n; proc p(ref bool v) { n = 1; v = true; } thread t { p(a[n]); }")
    run.step("t")
    run.step("t")
    assert run.step("t")["a[0]"] is True


def test_recursion_has_its_own_locals() -> None:
    run = Run("0..9 g; proc p(0..9 d) returns 0..9 { if (d == 0) { return 0; } 0..9 r = p(d - 1); return r + d; } thread t { g = p(3); }")
    while run.view["t.status"] == "running":
        run.step("t")
    assert run.view["g"] == 6


def test_choose_commits() -> None:
    run = Run("bool x; thread t { choose { await x; } or { skip; } }")
    assert [one.choice for one in run.outcomes("t")] == [("branch 1",), ("branch 2",)]
    run.step("t", "branch 1")
    assert run.waits("t")


def test_spawn_join_and_spawn_again() -> None:
    run = Run("thread a { spawn b; join b; spawn b; } thread b { skip; }")
    assert run.view["b.status"] == "not spawned"
    assert "b.stack" not in run.view
    assert run.step("a")["b.status"] == "running"
    assert run.waits("a")
    assert run.step("b")["b.status"] == "finished"
    run.step("a")
    assert run.step("a")["b.status"] == "running"


HOOK = "hook H; 0..9 x; callback f for H { x = x * 2 + 1; } callback g for H { x = x * 2; }"


def test_invoke_calls_in_order() -> None:
    run = Run(HOOK + "thread t { invoke H; }")
    assert run.stack("t") == ("t", "f")
    run.step("t")
    assert run.step("t")["x"] == 2


def test_invoke_any_picks() -> None:
    run = Run(HOOK + "thread t { invoke any H; }")
    assert [one.choice for one in run.outcomes("t")] == [("call f",), ("call g",)]
    run.step("t", "call g")
    run.step("t")
    assert [one.choice for one in run.outcomes("t")] == [("call f",)]
    run.step("t")
    assert run.step("t")["x"] == 1


def test_assume_and_disabled_checks_end_the_execution() -> None:
    run = Run("mutex L; thread t { assume false; } thread u { unlock L; } disable not_owner;")
    for thread in ("t", "u"):
        (outcome,) = run.outcomes(thread)
        assert outcome.ended
        assert outcome.error is None
    assert run.machine.enabled(run.state) == [0, 1]


def test_error_wins_over_waiting() -> None:
    run = Run("mutex L; thread t { lock L; lock L; }")
    run.step("t")
    assert run.error("t") == "relock"


# ---------------------------------------------------------------- atomic


def test_atomic_has_one_outcome_for_each_path() -> None:
    run = Run("0..9 x; bool y; thread t { atomic { choose { x = 1; } or { await y; x = 2; } or { x = 3; } } }")
    assert [one.choice for one in run.outcomes("t")] == [("branch 1",), ("branch 3",)]
    assert run.step("t", "branch 3")["x"] == 3


def test_atomic_waits_if_no_path_is_possible() -> None:
    run = Run("mutex L; mutex M; bool x; thread t { atomic { assert true; lock L; x = true; } } thread u { lock L; unlock L; }")
    run.step("u")
    assert run.waits("t")
    run.step("u")
    assert run.step("t")["L.owner"] == "t"


def test_atomic_runs_through_procedures_and_jumps_out() -> None:
    run = Run("0..9 x; proc p(0..9 v) { x = v; } thread t { loop { atomic { p(2); if (x == 2) { break; } } } x = 5; }")
    assert run.step("t")["x"] == 2
    assert run.step("t")["x"] == 5


def test_join_and_events_change_nothing_inside_of_an_atomic() -> None:
    run = Run("event E = true; bool x; thread t { atomic { wait E; await x; } } thread u { x = true; }")
    assert run.waits("t")
    run.step("u")
    assert run.step("t")["t.status"] == "finished"


# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("7 / -2", -3),
        ("7 % -2", 1),
        ("(number of i in 0..4: i % 2 == 0)", 3),
        ("2147483647 * 2147483647 / 2147483647 - 2147483640", 7),
        ("count(S)", 2),
        ("1 - 2 - 3", -4),
    ],
)
def test_arithmetic(expression: str, value: int) -> None:
    run = Run(f"-9..9 x; sem S max 3 = 2; thread t {{ x = {expression}; }}")
    assert run.step("t")["x"] == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("false && 1 / n == 1", False),
        ("true || 1 / n == 1", True),
        ("false implies 1 / n == 1", True),
        ("n == 0 ? true : 1 / n == 1", True),
        ("exists i in 0..1: i == 0 || 1 / n == 1", True),
        ("forall i in 0..1: i == 1 && 1 / n == 1", False),
        ("forall v in w: !holds(v, L)", True),
        ("exists v in w: finished(v) && v == w[1]", False),
        ("owner(L) == none", True),
        ("holds(owner(L), L) || at(owner(L), t.here) || finished(owner(L))", False),
        ("self == t && current_context() == none", True),
        ("is_set(E) || pending(b) || pending(X)", False),
        ("c == GREEN", False),
    ],
)
def test_truth(expression: str, value: bool) -> None:
    objects = "enum colour { RED, GREEN }  colour c;  0..2 n;  mutex L;  event E;  context X;  bh b on X { }"
    run = Run(f"{objects} bool x = {str(not value).lower()}; thread w[2] {{ await n == 2; }} thread t {{ x = {expression}; here: skip; }}")
    assert run.step("t")["x"] is value


def test_when_conditions_are_asked_even_for_none() -> None:
    run = Run("bool x; mutex L; context X when !holds(L); thread t { x = in_context(owner(L), X); }")
    assert run.step("t")["x"] is True


def test_family_arrays_are_indexed_by_threads() -> None:
    run = Run("bool s[w]; thread w[2] { s[self] = true; } thread u { for v in w { s[v] = false; } s[w[1]] = true; }")
    assert run.step("w[1]")["s[w[1]]"] is True
    run.step("u")
    assert run.step("u")["s[w[1]]"] is False
    assert run.step("u")["s[w[1]]"] is True
