"""The bounded engine, against the reference: every line of its table of statements, deadlocks, liveness, and what it may claim."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from strategies import ModelText

from formal.engines import bmc
from formal.engines.protocol import Event, Finding, Options, Progress, Statistics
from formal.frontend import load_text
from formal.program import Program
from formal.smt import facts
from formal.smt.bounded import LEMMAS_FROM, Bounded
from formal.smt.solver import Answer
from formal.smt.terms import negation
from formal.verdict import Verdict


def program(text: str) -> Program:
    loaded = load_text("protocol p;\n" + text)
    assert loaded.program is not None, [d.message for d in loaded.diagnostics]
    return loaded.program


def events(text: str, depth: int | None = None, properties: tuple[str, ...] | None = None) -> list[Event]:
    checked = program(text)
    told: list[Event] = []
    names = properties or tuple(p.name for p in checked.properties)
    bmc.run(checked, Options(properties=names, depth=depth), told.append)
    return told


def findings(text: str, depth: int | None = None) -> dict[str, Finding]:
    return {event.prop: event for event in events(text, depth) if isinstance(event, Finding)}


# Each violates one property at the given length, and nothing earlier.
VIOLATIONS = [
    ("0..2 n; thread t { n = 3; }", "range", 1),
    ("0..2 n; thread t { n = 2; n = n + 1; }", "range", 2),
    ("0..2 a[2]; 0..3 i = 2; thread t { a[i] = 1; }", "range", 1),
    ("0..2 n; bool b; thread t { b = 1 / n == 0; }", "range", 1),
    ("0..2 n; thread t { assume 4 % n == 1; }", "range", 1),
    ("proc f() returns 0..9 { return 5; } 0..2 n; thread t { n = f(); }", "range", 2),
    ("proc f() returns 0..2 { return 5; } 0..9 n; thread t { n = f(); }", "range", 1),
    ("proc f(0..2 a) { skip; } 0..9 n = 7; thread t { f(n); }", "range", 1),
    ("proc f(0..2 a) { f(a); } thread t { f(0); } nesting 2;", "nesting", 3),
    ("bool b; proc f() requires b { skip; } thread t { f(); }", "requires.f", 1),
    ("bool b; proc f() ensures !b { b = true; } thread t { f(); }", "ensures.f", 2),
    ("mutex m; thread t { lock m; lock m; }", "relock", 2),
    ("recursive mutex m max 2; thread t { lock m; lock m; lock m; }", "range", 3),
    ("mutex m; thread t { unlock m; }", "not_owner", 1),
    ("recursive mutex m; thread t { lock m; lock m; unlock m; unlock m; unlock m; }", "not_owner", 5),
    ("mutex m; thread t { with m { lock m; } }", "relock", 2),
    ("mutex m; thread t { with m { unlock m; } }", "not_owner", 3),
    ("mutex m; thread t { loop { with m { break; } } unlock m; }", "not_owner", 3),
    ("rwlock r; thread t { rdlock r; wrlock r; }", "relock", 2),
    ("rwlock r; thread t { wrlock r; rdlock r; }", "relock", 2),
    ("rwlock r; thread t { rdlock r; wrunlock r; }", "not_owner", 2),
    ("rwlock r; thread t { wrlock r; rdunlock r; }", "not_owner", 2),
    ("sem s max 1; thread t { post s; post s; }", "range", 2),
    ("sem s max 1; thread t { wait s; assert false; } thread u { post s; }", "assert.t.1", 3),
    ("event e; thread t { wait e; assert false; } thread u { set e; }", "assert.t.1", 3),
    ("event e = true; thread t { reset e; assert is_set(e); }", "assert.t.1", 2),
    ("mutex m; cond c; thread t { wait c with m; }", "not_owner", 1),
    ("mutex m; cond c; thread t { lock m; wait c with m; assert false; } thread u { lock m; signal c; unlock m; }", "assert.t.1", 7),
    ("mutex m; cond c; thread t[2] { lock m; wait c with m; assert false; } thread u { broadcast c; }", "assert.t.1", 5),
    ("context x; oneshot bh b on x max 1 { skip; } thread t { schedule b; schedule b; }", "range", 2),
    ("context x; bh b on x { assert false; } thread t { schedule b; schedule b; poll x; }", "assert.b.1", 4),
    ("context x; bh b on x { poll x; } bh d on x { skip; } thread t { schedule b; schedule d; poll x; } nesting 1;", "nesting", 4),
    ("context x; bh b on x { skip; } thread t { poll x blocking; assert false; } thread u { schedule b; }", "assert.t.1", 4),
    ("context x; thread t { aio_wait_while x (false); }", "wrong_context", 1),
    (
        "context x home t; bool b = true; bh d on x { b = false; } thread t { schedule d; aio_wait_while x (b); assert false; }",
        "assert.t.1",
        6,
    ),
    ("bool b; thread t { await b; assert false; } thread u { b = true; }", "assert.t.1", 3),
    ("0..2 n; thread t { await 1 / n == 1; }", "range", 1),
    ("bool b; thread t { if (b) { skip; } else { assert named: false; } }", "assert.named", 2),
    ("0..3 n; thread t { while (n < 2) { n = n + 1; } assert false; }", "assert.t.1", 6),
    ("thread t { choose { skip; } or { assert false; } }", "assert.t.1", 2),
    ("0..3 n; thread t { atomic { n = 1; while (n < 3) { n = n + 1; } assert n == 2; } }", "assert.t.1", 1),
    ("bool b; thread t { atomic { b = true; await !b; } }", "atomic", 1),
    ("0..3 n; thread t { atomic { while (n < 3) { n = n * 1; } } }", "atomic", 1),
    ("mutex m; thread t { lock m; atomic { assert true; lock m; } }", "relock", 2),
    ("thread t { spawn u; spawn u; } thread u { skip; skip; }", "spawn", 2),
    ("thread t { spawn u; join u; assert false; } thread u { skip; }", "assert.t.1", 4),
    ("hook h; callback f for h { skip; } callback g for h { assert false; } thread t { invoke h; }", "assert.g.1", 2),
    ("hook h; callback f for h { skip; } callback g for h { assert false; } thread t { invoke any h; }", "assert.g.1", 2),
    ("0..2 n; thread t { for i in 0..2 { n = i; } } invariant small: n < 2;", "invariant.small", 3),
    ("bool b = true; thread t { skip; } invariant !b;", "invariant.1", 0),
    ("thread t { skip; here: skip; } invariant !at(t, here);", "invariant.1", 1),
    ("thread t { skip; } invariant !finished(t);", "invariant.1", 1),
    ("thread_local bool f; thread t[2] { f = true; } invariant one: (number of v in t: v.f) < 2;", "invariant.one", 2),
]


@pytest.mark.parametrize(("text", "name", "length"), VIOLATIONS)
def test_each_error_is_found_at_its_length(text: str, name: str, length: int) -> None:
    finding = findings(text, length + 1)[name]
    assert (finding.verdict, finding.depth) == (Verdict.VIOLATED, length), finding
    assert finding.trace is not None
    assert len(finding.trace.moves) == length


PROVED = [
    "0..2 n; thread t { n = n != 0 && 8 / n > 1 ? 1 : 2; }",
    "mutex m; thread t[2] { with m { skip; } } deadlock free;",
    "bool b; thread t { assume b; assert false; }",
    "mutex m; thread t { lock m; lock m; assert false; } disable relock;",
    "context x home t; thread t { aio_wait_while x (false); }",
    "rwlock r; thread t[2] { rdlock r; rdunlock r; } deadlock free;",
    "thread t { idle: await false; } deadlock free;",
]


@pytest.mark.parametrize("text", PROVED)
def test_finite_executions_are_proved(text: str) -> None:
    found = findings(text)
    assert {finding.verdict for finding in found.values()} <= {Verdict.PROVED}
    assert all("no execution is longer than" in finding.reason for finding in found.values())


DEADLOCKS = [
    ("mutex a; mutex b; thread t { lock a; lock b; } thread u { lock b; lock a; } deadlock free;", "deadlock.global", 2),
    ("mutex a; mutex b; thread t { lock a; lock b; } thread u { lock b; lock a; } deadlock free;", "deadlock.lock_order", 2),
    (
        "mutex a; mutex b; thread t { lock a; lock b; } thread u { lock b; lock a; } thread w { loop { skip; } } deadlock free;",
        "deadlock.partial",
        2,
    ),
    ("sem s max 1; thread t { wait s; } thread w { loop { skip; } } deadlock free;", "deadlock.partial", 0),
    ("event e; thread t { wait e; } thread u { skip; } thread w { loop { skip; } } deadlock free;", "deadlock.partial", 0),
    (
        "mutex m; event e; thread t { lock m; wait e; } thread u { lock m; } thread w { loop { skip; } } deadlock free;",
        "deadlock.partial",
        1,
    ),
    ("thread t { join u; } thread u { await false; } thread w { loop { skip; } } deadlock free;", "deadlock.partial", 0),
    ("context x; bh b on x { skip; } thread t { poll x blocking; } thread w { loop { skip; } } deadlock free;", "deadlock.partial", 0),
]


@pytest.mark.parametrize(("text", "name", "length"), DEADLOCKS)
def test_deadlocks(text: str, name: str, length: int) -> None:
    found = findings(text, 3)[name]
    assert (found.verdict, found.depth) == (Verdict.VIOLATED, length)


@pytest.mark.parametrize(
    "text",
    [
        "sem s max 1; thread t { wait s; } thread w { loop { choose { skip; } or { break; } } post s; } deadlock free;",
        "bool b; thread t { await b; } thread w { loop { choose { skip; } or { break; } } b = true; } deadlock free;",
        "context x; event e; bh b on x { set e; } thread t { wait e; } thread w { loop { poll x; skip; } } deadlock free;",
    ],
)
def test_who_may_still_help_is_no_part_of_a_deadlock(text: str) -> None:
    assert findings(text, 4)["deadlock.partial"].verdict is not Verdict.VIOLATED


LIVENESS = [
    ("bool f; thread a { loop { skip; } } thread b { skip; f = true; } liveness L: eventually f;", None),
    ("bool f; thread a { loop { skip; } } thread b { skip; } liveness L: eventually f;", (2, 1)),
    ("mutex m; bool f; thread a { loop { lock m; unlock m; } } thread b { lock m; f = true; unlock m; } liveness L: eventually f;", (2, 0)),
    (
        "mutex m; bool f; strong fair b; thread a { loop { with m { } } } thread b { with m { f = true; } } liveness L: eventually f;",
        None,
    ),
    ("mutex m; bool f; thread a { lock m; } thread b { lock m; f = true; } liveness L: eventually f;", (1, 1)),
    ("bool p; bool q; thread a { p = true; } thread b { await p; choose { q = true; } or { skip; } } liveness L: p leads to q;", (4, 4)),
]


@pytest.mark.parametrize(("text", "lasso"), LIVENESS)
def test_liveness(text: str, lasso: tuple[int, int] | None) -> None:
    found = findings(text, 8)["liveness.L"]
    if lasso is None:
        assert found.verdict is not Verdict.VIOLATED
        return
    assert found.trace is not None
    assert (found.depth, found.trace.loop_to) == lasso


def test_a_bounded_search_claims_no_more_than_its_depth() -> None:
    found = findings("0..3 n; thread t { loop { n = 0; } }", 5)["range"]
    assert (found.verdict, found.depth) == (Verdict.PROVED_UP_TO, 5)


def test_each_property_is_settled_once_and_progress_is_told() -> None:
    told = events("mutex m; 0..1 n; thread t { lock m; n = 2; } thread u { lock m; unlock m; unlock m; }", 4)
    names = [event.prop for event in told if isinstance(event, Finding)]
    assert len(names) == len(set(names))
    assert {"range", "not_owner"} <= set(names)
    assert next(event.depth for event in told if isinstance(event, Progress)) == 0
    assert isinstance(told[-1], Statistics)


def test_the_witness_has_the_fewest_context_switches() -> None:
    text = "0..4 n; thread t { n = n + 1; n = n + 1; } thread u { n = n + 1; n = n + 1; } invariant n < 4;"
    found = findings(text, 6)["invariant.1"]
    assert found.trace is not None
    movers = [move.thread for move in found.trace.moves]
    assert sum(a != b for a, b in pairwise(movers)) == 1


def test_views_have_the_keys_that_a_witness_needs() -> None:
    text = (
        "context x; enum e { A, B } e k = A; 0..2 a[2]; oneshot bh b on x max 2 { 0..3 y = 2; assert false; }"
        "thread t { bool z = true; k = B; schedule b; poll x; }"
    )
    found = findings(text, 7)["assert.b.1"]
    assert found.trace is not None
    view = found.trace.moves[-2].after
    assert view is not None
    assert view["k"] == "B"
    assert view["t.stack"] == ("t", "b")
    assert view["t/0.z"] is True
    assert view["t/1.y"] == 2
    assert view["b.pending"] == 0
    assert view["a[1]"] == 0
    assert found.trace.moves[-1].after is None


def test_what_is_too_large_to_encode_is_undecided() -> None:
    doubling = "".join(f"proc p{i}() {{ p{i + 1}(); p{i + 1}(); }}\n" for i in range(13))
    found = findings("mutex m;\n" + doubling + "proc p13() { lock m; skip; skip; } thread t { p0(); }", 3)
    assert {finding.verdict for finding in found.values()} == {Verdict.UNDECIDED}
    assert all("too large to encode" in finding.reason for finding in found.values())


def test_many_threads_are_encoded() -> None:
    found = findings("mutex m; thread t[24] { lock m; unlock m; }", 4)
    assert {finding.verdict for finding in found.values()} == {Verdict.PROVED_UP_TO}


@pytest.mark.parametrize("seed", range(12))
def test_one_copy_of_the_code_says_what_a_copy_for_each_thread_says(seed: int) -> None:
    generated = load_text(ModelText(random.Random(seed).randrange).text()).program
    assert generated is not None
    properties = [prop for prop in generated.properties if prop.kind != "liveness"]
    said = []
    for shared_from in (0, 1000):
        bounded = Bounded(generated, properties, 4096, shared_from=shared_from)
        open_names = [prop.name for prop in properties]
        found: list[tuple[int, str]] = []
        for depth in range(5):
            if depth:
                bounded.extend()
            broken = {name for name in open_names if bounded.violation([name])[0] is Answer.SAT}
            found += [(depth, name) for name in sorted(broken)]
            open_names = [name for name in open_names if name not in broken]
            bounded.go_on(open_names)
        said.append(found)
    assert said[0] == said[1]


# ---------------------------------------------------------------- what a search rests on


@pytest.mark.parametrize("offer", ["lemmas", "standing", "ranges"])
def test_a_wrong_lemma_is_not_believed(offer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lemma that is false in a reachable state would hide the violation behind it."""
    monkeypatch.setattr(facts, offer, lambda relation: [negation(cell.value) for cell in relation.layout.cells if cell.name == "b"])
    found = findings("bool b; thread t { b = true; skip; skip; skip; skip; skip; assert false; }")["assert.t.1"]
    assert (found.verdict, found.depth) == (Verdict.VIOLATED, LEMMAS_FROM + 2)


def test_the_lemmas_of_a_lock_are_proved_and_used() -> None:
    relation = Bounded(program("mutex m; thread t[2] { loop { with m { skip; } } } deadlock free;"), (), 1024).relation
    assert len(facts.proved_lemmas(relation, 1024)) == 4  # of each thread: where it may own m, and where it surely does


def test_nobody_is_sooner_anywhere_than_the_distances_say() -> None:
    """A place left out too early would hide what happens there."""
    for seed in range(12):
        checked = load_text(ModelText(random.Random(seed).randrange).text()).program
        assert checked is not None
        names = tuple(p.name for p in checked.properties)
        told: list[dict[str, tuple[Verdict, int | None]]] = []
        for without in (frozenset[str](), frozenset({"distances"})):
            events_: list[Event] = []
            bmc.run(checked, Options(properties=names, depth=8, without=without), events_.append)
            told.append({e.prop: (e.verdict, e.depth) for e in events_ if isinstance(e, Finding)})
        assert told[0] == told[1]


REPORTED = {"distances": "places with a distance", "ownership": "lemmas about locks", "symmetry": "threads kept in order"}


def test_what_a_reduction_left_out_is_told() -> None:
    checked = program("mutex m; thread t[3] { skip; skip; with m { skip; } skip; } deadlock free;")
    names = tuple(p.name for p in checked.properties)
    for off in ("", *REPORTED):
        told: list[Event] = []
        bmc.run(checked, Options(names, LEMMAS_FROM, without=frozenset(filter(None, [off]))), told.append)
        (figures,) = [event.figures for event in told if isinstance(event, Statistics)]
        assert {name for name, figure in REPORTED.items() if figures[figure]} == set(REPORTED) - {off}
