"""The explicit engine: shortest witnesses, honest bounds, liveness, and what happens when memory runs out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from test_interp import findings, program_of, violations

from formal.engines import explicit
from formal.engines.components import components
from formal.engines.protocol import Event, Finding, Options, Progress, Statistics
from formal.interp import Machine, State, replay
from formal.verdict import Verdict


def events(text: str, *, properties: tuple[str, ...] | None = None, depth: int | None = None, memory: int = 4096) -> list[Event]:
    program = program_of(text)
    told: list[Event] = []
    names = tuple(prop.name for prop in program.properties) if properties is None else properties
    explicit.run(program, Options(names, depth, memory), told.append)
    return told


def statistics(told: list[Event]) -> dict[str, int | float | str]:
    (one,) = [event for event in told if isinstance(event, Statistics)]
    return dict(one.figures)


# ---------------------------------------------------------------- safety


def test_all_states_are_explored() -> None:
    told = events("bool a; bool b; thread t { a = true; } thread u { b = true; }")
    assert statistics(told) == {"states": 4, "transitions": 4, "depth": 2}


def test_the_reason_of_a_proof() -> None:
    found = findings("mutex L; thread t[2] { with L { skip; } }")
    assert found["relock"].reason == "all 12 reachable states and 12 transitions were explored (depth 6)"


def test_of_the_shortest_the_one_with_the_fewest_switches() -> None:
    """Nine steps in many orders lead there; if u goes first, one switch is enough."""
    text = """
    0..9 n; 0..9 m;
    thread t { n = n + 1; n = n + 1; n = n + 1; await m == 3; n = n + 1; n = n + 1; }
    thread u { m = m + 1; m = m + 1; m = m + 1; }
    invariant i: !(n == 5 && m == 3);
    """
    finding = findings(text)["invariant.i"]
    assert finding.trace is not None
    assert (finding.depth, replay(Machine(program_of(text)), finding.trace).context_switches) == (9, 1)


def test_fewest_switches_to_an_error() -> None:
    text = "0..9 n; thread a { n = n + 1; n = n + 1; assert n != 4; } thread b { n = n + 1; n = n + 1; }"
    finding = findings(text)["assert.a.1"]
    assert finding.trace is not None
    assert (finding.depth, replay(Machine(program_of(text)), finding.trace).context_switches) == (5, 1)


HELPED = "0..3 n; 0..9 k; thread helper[3] { loop { atomic { await k < n; k = k + 1; } } } "


def test_of_those_the_one_with_the_fewest_threads() -> None:
    """Any helper can help each time; it is best to ask one of them only, and where one of them goes wrong, that one."""
    chain = "thread t { n = 1; await k == 1; n = 2; await k == 2; n = 3; await k == 3; goal = true; } "
    text = f"bool goal; {HELPED}{chain}invariant i: !goal;"
    trace = findings(text)["invariant.i"].trace
    assert trace is not None
    assert len({move.thread for move in trace.moves}) == 2
    asked = text.replace("k = k + 1; }", "k = k + 1; assert third: !(k == 3 && self == helper[1]); }").replace("invariant i: !goal;", "")
    trace = findings(asked)["assert.third"].trace
    assert trace is not None
    assert sorted({move.thread for move in trace.moves}) == [1, 3]


def random_machine(seed: int) -> str:
    """Four threads that wait for values of n, and make others of them: where it gets to depends on who moves."""
    chance = random.Random(seed)
    threads = []
    for i in range(4):
        waits = f"n == {chance.randrange(3)} || n == {chance.randrange(4)}"
        goes = "".join(f"n == {a} ? {chance.randrange(4)} : " for a in range(3))
        threads.append(f"thread t{i} {{ loop {{ atomic {{ await {waits}; n = {goes}0; m = (m + {i % 2}) % 5; }} }} }}")
    return f"0..3 n; 0..4 m; {' '.join(threads)} invariant i: !(n == {chance.randrange(4)} && m == {chance.randrange(2, 5)});"


@pytest.mark.parametrize("seed", [*range(12), 80])  # with 80 it takes another state before the last than the one that was met first
def test_no_shortest_path_is_better(seed: int) -> None:
    """Against all paths of that length."""
    text = random_machine(seed)
    finding = findings(text)["invariant.i"]
    if finding.trace is None:
        return
    machine = Machine(program_of(text))
    paths: list[tuple[State, tuple[int, ...]]] = [(machine.initial(), ())]
    for _ in finding.trace.moves:
        paths = [(one.after, (*path, one.thread)) for state, path in paths for one in machine.successors(state) if one.after is not None]
    best = min(goodness(path) for state, path in paths if machine.broken_invariants(state))
    assert goodness([move.thread for move in finding.trace.moves]) == best


def goodness(threads: Sequence[int]) -> tuple[int, int]:
    """Context switches, and threads."""
    return sum(one != other for one, other in pairwise(threads)), len(set(threads))


def test_errors_end_their_path_and_no_other() -> None:
    text = "mutex L; 0..9 n; thread t { choose { unlock L; assert false; } or { n = 1; n = 2; assert n != 2; } }"
    assert violations(text) == {"not_owner": 2, "assert.t.2": 4}


def test_only_what_was_asked_is_told_but_errors_still_end_executions() -> None:
    told = events("mutex L; thread t { unlock L; assert false; }", properties=("assert.t.1",))
    assert [(event.prop, event.verdict) for event in told if isinstance(event, Finding)] == [("assert.t.1", Verdict.PROVED)]


def test_the_search_ends_when_everything_is_violated() -> None:
    told = events("0..99 n; thread t { loop { n = n + 1; } } invariant i: n < 2;", properties=("invariant.i",))
    assert statistics(told)["depth"] == 3


COUNTER = "0..99 n; thread t { while (n < 20) { n = n + 1; } } invariant i: n < 20;"


@pytest.mark.parametrize(("depth", "verdict"), [(39, Verdict.PROVED_UP_TO), (40, Verdict.VIOLATED), (41, Verdict.VIOLATED)])
def test_depth_bounds_states(depth: int, verdict: Verdict) -> None:
    finding = findings(COUNTER, depth)["invariant.i"]
    assert (finding.verdict, finding.depth) == (verdict, min(depth, 40))


@pytest.mark.parametrize(("depth", "verdict"), [(2, Verdict.PROVED_UP_TO), (3, Verdict.VIOLATED)])
def test_depth_bounds_errors(depth: int, verdict: Verdict) -> None:
    assert findings("thread t { skip; skip; assert false; }", depth)["assert.t.1"].verdict is verdict


def test_a_depth_that_suffices_proves() -> None:
    found = findings("bool x; thread t { x = true; x = false; assert !x; }", 3)
    assert {finding.verdict for finding in found.values()} == {Verdict.PROVED}


def test_progress_is_told_for_each_level() -> None:
    told = events("thread t { skip; skip; }")
    assert [event.depth for event in told if isinstance(event, Progress)] == [0, 1, 2]


def test_no_memory_left_is_undecided() -> None:
    told = events("0..9 n; thread t[3] { loop { n = (n + 1) % 10; } }", memory=1)
    found = [event for event in told if isinstance(event, Finding)]
    assert found
    assert {finding.verdict for finding in found} == {Verdict.UNDECIDED}
    assert "MiB" in found[0].reason


def test_runs_are_alike() -> None:
    text = "0..3 n; thread t[3] { loop { choose { n = n + 1; } or { n = 0; } } } invariant i: n < 3; deadlock free;"
    assert events(text) == events(text)


# ---------------------------------------------------------------- liveness

TURNS = "bool x; thread a { loop { await !x; x = true; } } thread b { loop { await x; x = false; } }"
STARVING = "mutex L; bool x; thread a { lock L; x = true; } thread b { loop { with L { skip; } } } liveness l: eventually x;"
LIVE = [
    ("bool x; thread t { skip; x = true; } liveness l: eventually x;", True),
    ("bool x; thread t { choose { x = true; } or { skip; } } liveness l: eventually x;", False),
    ("bool x; thread t { x = true; } thread u { loop { skip; } } liveness l: eventually x;", True),
    ("bool x; thread t { loop { skip; } } thread u { await x; x = false; } liveness l: eventually x;", False),
    (TURNS + "liveness l: !x leads to x; liveness m: x leads to !x;", True),
    ("0..2 n; thread t { loop { n = (n + 1) % 3; } } liveness l: n == 0 leads to n == 2;", True),
    ("0..2 n; thread t { loop { choose { n = 1; } or { n = 0; } } } liveness l: n == 0 leads to n == 2;", False),
    ("bool x; thread t { x = true; } liveness l: x leads to !x;", False),
    ("bool x; thread t { skip; } liveness l: x leads to !x;", True),
    ("bool x; thread t { loop { assume x; } } liveness l: eventually x;", True),  # no execution goes on
    (STARVING, False),
    (STARVING + "strong fair a;", True),
    ("bool x; thread t { x = true; } liveness l: eventually !x;", True),
]


@pytest.mark.parametrize(("text", "holds"), LIVE)
def test_liveness(text: str, holds: bool) -> None:
    found = {name: finding for name, finding in findings(text).items() if name.startswith("liveness")}
    assert {finding.verdict for finding in found.values()} == {Verdict.PROVED if holds else Verdict.VIOLATED}


def test_strong_fairness_looks_into_parts_of_a_component() -> None:
    """b can starve a only by staying where a cannot move at all."""
    text = """
    mutex L; bool x; thread a { lock L; x = true; }
    thread b { loop { choose { with L { skip; } } or { lock L; loop { skip; } } } }
    liveness l: eventually x; strong fair a;
    """
    finding = findings(text)["liveness.l"]
    assert finding.trace is not None
    assert finding.trace.loop_to == len(finding.trace.moves) - 1


def test_a_lasso_ends_where_its_loop_starts() -> None:
    finding = findings("0..2 n; bool x; thread t { skip; loop { n = 1; n = 2; } } liveness l: eventually x;")["liveness.l"]
    assert finding.trace is not None
    assert finding.trace.loop_to is not None
    assert finding.trace.moves[-1].after == finding.trace.moves[finding.trace.loop_to - 1].after


def test_liveness_of_an_unfinished_exploration_is_undecided() -> None:
    text = "0..50 n; bool x; thread t { while (n < 50) { n = n + 1; } x = true; } liveness l: eventually x;"
    assert findings(text, 10)["liveness.l"].verdict is Verdict.UNDECIDED
    assert findings(text, 200)["liveness.l"].verdict is Verdict.PROVED
    assert findings("bool x; thread t { loop { x = false; } } liveness l: eventually x;", 5)["liveness.l"].verdict is Verdict.VIOLATED


def test_components() -> None:
    edges = {0: [1], 1: [2, 3], 2: [0], 3: [4], 4: [3, 5], 5: []}
    assert sorted(sorted(part) for part in components([0], edges.__getitem__)) == [[0, 1, 2], [3, 4], [5]]


def test_components_of_a_long_path_need_no_recursion() -> None:
    assert sum(1 for _ in components([0], lambda node: [node + 1] if node < 50_000 else [])) == 50_001


# ---------------------------------------------------------------- survey


def test_survey_tells_what_nobody_reaches() -> None:
    program = program_of("bool x; proc p() { assert true; } thread t { if (x) { p(); } atomic { skip; } await x; skip; }")
    survey = explicit.survey(program, 1000)
    assert survey.exhausted
    texts = {statement.info.text: statement.info.uid for statement in program.threads[0].decl.body.statements}  # type: ignore[union-attr]
    assert texts["await x"] in survey.executed
    assert texts["await x"] not in survey.passed
    assert texts["skip"] not in survey.executed
    assert not any(program.procs["p"].body.statements[0].info.uid == uid for uid in survey.executed)  # type: ignore[union-attr]


def test_survey_stops() -> None:
    survey = explicit.survey(program_of("0..999 n; thread t { while (n < 999) { n = n + 1; } }"), 10)
    assert not survey.exhausted
    assert survey.states <= 20
