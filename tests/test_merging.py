"""Merged steps: nothing that is asked for may be lost by them."""

from __future__ import annotations

import random

import pytest
from differential import findings, parsed, safety, size
from strategies import ModelText
from systems import SystemBuilder
from test_interp import program_of
from weaves import Weave

from formal.diagnostics import InternalError
from formal.engines import explicit, scout
from formal.engines.exploration import Exploration
from formal.engines.protocol import Event, Finding, Options, Progress, Statistics
from formal.interp import Machine, Merging, quiet, touching
from formal.interp.references import Function
from formal.program import DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, RANGE, Program
from formal.verdict import Verdict


def explored(program: Program, *, merge: bool, machine: Machine | None = None) -> tuple[Exploration, dict[str, int]]:
    """Everything that can be reached, and the level in which each property is first violated."""
    machine = machine or Machine(program)
    invariants = {p.name: p.condition for p in program.properties if p.kind == "invariant" and p.condition is not None}
    tests = {name: machine.condition(condition) for name, condition in invariants.items()}
    deadlocks = [p.name for p in program.properties if p.kind == "deadlock"]
    exploration = Exploration(machine, None, machine.merging(invariants.values()) if merge else None)
    found: dict[str, int] = {}

    def visit(_number: int, state: tuple[object, ...], waiting: list[int], moving: list[int]) -> None:
        broken = [name for name, holds in tests.items() if not holds(state)]
        for name in (*broken, *(machine.deadlocked(state, waiting, moving, deadlocks) if waiting else ())):
            found.setdefault(name, exploration.depth - 1)

    def err(_number: int, _thread: int, prop: str) -> None:
        found.setdefault(prop, exploration.depth - 1)

    while not exploration.exhausted:
        exploration.expand(visit, err)
    return exploration, found


def both(text: str) -> tuple[set[str], set[str]]:
    """What is violated, without merging and with it."""
    program = program_of(text)
    return set(explored(program, merge=False)[1]), set(explored(program, merge=True)[1])


def states(text: str) -> tuple[int, int]:
    """How many there are, without merging and with it."""
    program = program_of(text)
    return len(explored(program, merge=False)[0].states), len(explored(program, merge=True)[0].states)


# ---------------------------------------------------------------- what is in the way of what

# A step of the first kind must not be put before one of the second: in each model, something that is violated depends on it.
IN_THE_WAY = {
    ("read", "write"): "bool x; thread t { bool l = x; assert !l; } thread u { x = true; }",
    ("write", "read"): "bool x; thread t { x = true; } thread u { assert x; }",
    ("write", "write"): "0..2 n; thread t { n = 1; assert !(finished(u) && n == 1); } thread u { n = 2; }",
    ("lock", "lock"): "mutex L; bool x; thread u { with L { x = true; } } thread t { lock L; assert !x; unlock L; }",
    ("lock", "owner"): "mutex L; thread t { lock L; } thread u { assert owner(L) == t; }",
    ("release", "owner"): "mutex L; thread t { lock L; unlock L; } thread u { assert owner(L) == none; }",
    ("owner", "lock"): "mutex L; thread t { assert owner(L) == none; } thread u { lock L; }",
    ("owner", "release"): """mutex L; event E; event G;
        thread t { wait E; set G; assert owner(L) == u; } thread u { lock L; set E; wait G; unlock L; }""",
    ("held", "alters"): "mutex L; thread t { assert !holds(u, L); } thread u { lock L; }",
    ("alters", "held"): "mutex L; thread t { lock L; unlock L; } thread u { assert !holds(t, L); }",
    ("take", "take"): "sem S max 1 = 1; thread u { wait S; assert false; } thread t { wait S; }",
    ("take", "post"): "sem S max 1 = 1; thread t { wait S; } thread u { post S; }",
    ("take", "count"): "sem S max 1 = 1; thread t { wait S; } thread u { assert count(S) == 0; }",
    ("post", "count"): "sem S max 1; thread t { post S; } thread u { assert count(S) == 1; }",
    ("count", "take"): "sem S max 1 = 1; thread t { assert count(S) == 1; } thread u { wait S; }",
    ("count", "post"): "sem S max 1; thread t { assert count(S) == 0; } thread u { post S; }",
    ("set", "reset"): "event E; thread t { set E; assert !(finished(u) && is_set(E)); } thread u { reset E; }",
    ("set", "flag"): "event E; thread t { set E; } thread u { assert is_set(E); }",
    ("reset", "set"): "event E; thread t { reset E; assert !(finished(u) && !is_set(E)); } thread u { set E; }",
    ("reset", "waits"): "event E = true; thread t { reset E; } thread u { wait E; assert false; }",
    ("reset", "flag"): "event E = true; thread t { reset E; } thread u { assert !is_set(E); }",
    ("waits", "reset"): "event E = true; thread t { wait E; } thread u { reset E; } deadlock free;",
    ("flag", "set"): "event E; thread t { assert !is_set(E); } thread u { set E; }",
    ("flag", "reset"): "event E = true; thread t { assert is_set(E); } thread u { reset E; }",
    ("wake", "sleep"): "mutex L; cond C; thread t { signal C; } thread u { lock L; wait C with L; assert false; }",
    ("sleep", "wake"): "mutex L; cond C; thread t { lock L; wait C with L; } thread u { broadcast C; } deadlock free;",
    ("schedule", "pending"): "context X; bh b on X { } thread t { schedule b; } thread u { assert pending(b); }",
    ("schedules in", "poll"): """context X; bool x; bh b on X { x = true; }
        thread t { schedule b; } thread u { poll X; assert x; }""",
    ("dispatch", "schedule"): """context X; bool x; bh b on X { x = true; }
        thread t { poll X; assert !x; } thread u { schedule b; }""",
    ("poll", "poll"): """context X; bool x; bh b on X { x = true; }
        thread t { schedule b; poll X; assert x; } thread u { poll X; }""",
    ("poll", "pending in"): "context X; bh b on X { } thread t { schedule b; poll X; } thread u { assert !pending(b); }",
    ("pending", "schedule"): "context X; bh b on X { } thread t { assert !pending(X); } thread u { schedule b; }",
    ("pending in", "poll"): """context X; event E; bh b on X { }
        thread t { schedule b; set E; assert pending(b); } thread u { wait E; poll X; }""",
    ("spawn", "join"): """bool x; event G; thread late { await !x; }
        thread t { spawn late; join late; x = true; set G; spawn late; } thread u { wait G; join late; assert false; }""",
    ("join", "spawn"): """bool x; event G; event H; thread late { await !x; }
        thread t { wait G; set H; join late; }
        thread u { spawn late; join late; x = true; set G; wait H; spawn late; assert at(t, here) || true; here: skip; }
        deadlock free;""",
    ("passes", "at"): "thread t { skip; here: skip; } thread u { assert !at(t, here); }",
    ("finishes", "finished"): "thread t { skip; } thread u { assert finished(t); }",
    ("finishes", "spawn"): "event E; thread late { skip; } thread t { spawn late; set E; } thread u { wait E; spawn late; }",
    ("asks", "moves"): "thread t { assert !at(u, here); } thread u { skip; here: skip; }",
}
PAIRS = [(kind, other) for kind, others in touching.IN_THE_WAY.items() for other in others]


@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_in_the_way_is_respected_and_has_to_be(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    plain, merged = both(IN_THE_WAY[pair])
    assert plain - {DEADLOCK_PARTIAL} == merged - {DEADLOCK_PARTIAL} != set()
    kind, left_out = pair
    table = dict(touching.IN_THE_WAY)
    table[kind] = tuple(other for other in table[kind] if other != left_out)
    monkeypatch.setattr(touching, "IN_THE_WAY", table)
    assert both(IN_THE_WAY[pair])[1] < plain


# Waits inside of an atomic that go wrong, or go another way, where they would have to wait.
STRICT = {
    "lock": "mutex L; bool x; thread t { lock L; unlock L; } thread u { atomic { x = true; lock L; } unlock L; }",
    "take": "sem S max 1; bool x; thread t { post S; } thread u { atomic { x = true; wait S; } }",
    "waits": "event E; bool x; thread t { set E; } thread u { atomic { x = true; wait E; } }",
    "join": "bool x; thread t { skip; } thread u { atomic { x = true; join t; } }",
}


@pytest.mark.parametrize("kind", touching.STRICT)
def test_waits_inside_of_an_atomic_are_looked_at(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert both(STRICT[kind]) == ({"atomic"}, {"atomic"})
    monkeypatch.setattr(touching, "STRICT", {other: seen for other, seen in touching.STRICT.items() if other != kind})
    assert both(STRICT[kind]) == ({"atomic"}, set())


# ---------------------------------------------------------------- the other clauses


def test_what_goes_wrong_is_not_merged() -> None:
    """The error of a quiet step ends its thread's path, not that of the others."""
    assert both("bool x; thread t { assert false; } thread u { x = true; assert !x; }") == ({"assert.t.1", "assert.u.1"},) * 2
    assert both("bool x; thread t { choose { skip; } or { assume false; } } thread u { x = true; assert !x; }") == ({"assert.u.1"},) * 2


def test_what_waits_is_not_merged() -> None:
    assert both("bool x; thread t { x = true; await !x; } deadlock free;") == ({"deadlock.global"},) * 2


def unseeing(holds: Function, blockers: quiet.Blockers) -> quiet.Look:
    return quiet.Look(lambda _: True, blockers)


def careless(holds: Function, blockers: quiet.Blockers) -> quiet.Look:
    return quiet.Look(holds, quiet.Blockers(()))


WATCHED = [
    ("bool x; thread t { x = true; x = false; } invariant i: !x;", unseeing),
    ("bool x; bool y; thread u { y = true; } thread t { x = true; x = false; } invariant i: !(x && y);", careless),
    ("thread t { skip; here: skip; skip; } invariant i: !at(t, here);", unseeing),
    ("mutex L; thread t { with L { skip; } } invariant i: owner(L) == none;", unseeing),
]


@pytest.mark.parametrize(("text", "mistaken"), WATCHED)
def test_what_an_invariant_speaks_of_is_looked_at(text: str, mistaken: type[quiet.Look], monkeypatch: pytest.MonkeyPatch) -> None:
    assert both(text) == ({"invariant.i"}, {"invariant.i"})
    program = program_of(text)
    monkeypatch.setattr(Merging, "_look", lambda merging, holds, topics, thread: mistaken(holds, merging._blockers(topics, thread)))
    assert explored(program, merge=True)[1] == {}


def test_an_invariant_about_this_thread_alone_lets_it_go_on() -> None:
    text = "mutex L; thread_local bool p; thread t[2] { loop { atomic { lock L; p = true; } atomic { unlock L; p = false; } } }"
    assert states(text + "invariant i: forall v in t: holds(v, L) == v.p;")[1] == 1
    assert both(text + "invariant i: forall v in t: holds(v, L) implies !v.p;")[1] == {"invariant.i"}


def test_quiet_cycles_end() -> None:
    assert both("bool x; thread t { loop { skip; } } thread u { x = true; assert !x; }") == ({"assert.u.1"},) * 2
    assert states("0..9 n; thread t { while (n < 9) { n = n + 1; } }")[1] < 12


def test_choices_are_all_taken() -> None:
    text = (
        "0..3 n; thread t { choose { n = 1; } or { n = 2; choose { skip; } or { n = 3; } } assert n != 3; assert n != 2; assert n != 1; }"
    )
    assert both(text) == ({"assert.t.1", "assert.t.2", "assert.t.3"},) * 2


def test_what_a_spawned_thread_starts_with_is_merged() -> None:
    assert states("thread late { skip; skip; } thread t { skip; spawn late; }") == (5, 1)


# ---------------------------------------------------------------- what others may do from where they stand

PAST = """mutex L; bool x; event E;
    thread t { wait E; x = true; x = false; x = true; } thread u { assert !x; set E; await false; }"""
SHUT = "mutex L; bool x; thread t { loop { with L { x = true; x = false; } } } thread u { with L { assert !x; } }"


def test_what_others_have_behind_them_does_not_matter() -> None:
    """Nor does what is behind a lock that this thread has."""
    assert states(PAST) == (7, 3)
    assert both(PAST) == (set(), set())
    plain, merged = states(SHUT)
    assert merged <= plain / 2
    assert both(SHUT) == (set(), set())


OPEN = [
    "mutex L; bool x; thread t { with L { x = true; x = false; } } thread u { assert !x; }",
    "mutex L; mutex M; bool x; thread t { with L { x = true; x = false; } } thread u { with M { assert !x; } }",
    "mutex L[2]; 0..1 n; bool x; thread t { with L[0] { x = true; x = false; } } thread u { n = 1; lock L[n]; assert !x; }",
    "mutex L; bool x; thread t { with L { x = true; x = false; } } thread u { if (x) { with L { skip; } } assert !x; }",
    "mutex L; cond C; bool x; thread t { with L { x = true; x = false; } } thread u { choose { with L { skip; } } or { assert !x; } }",
    "bool x; thread late { assert !x; } thread u { spawn late; } thread t { x = true; x = false; }",
    """mutex L; event E; event G; bool x; thread t { wait E; set G; x = true; x = false; }
    thread u { lock L; set E; wait G; unlock L; } thread v { with L { assert !x; } }""",
    "mutex L; rwlock R; bool x; thread t { rdlock R; x = true; x = false; } thread u { rdlock R; assert !x; }",
    "mutex L; bool x; thread t { with L { x = true; x = false; } } thread u { assert !x; with L { skip; } }",
    """mutex L; bool x; context X; bh b on X { assert !x; }
    thread t { with L { x = true; x = false; } } thread u { schedule b; poll X; lock L; }""",
    "mutex L; bool x; thread t { with L { x = true; x = false; } } proc p() requires !x { lock L; unlock L; } thread u { p(); }",
    "bool x; thread t { x = true; x = false; } proc p() ensures !x { skip; } thread u { p(); }",
    "bool x; event E; proc p() ensures !x { wait E; } thread u { p(); } thread t { set E; x = true; x = false; }",
    "0..1 n; bool x[2]; proc p(ref bool v) { assert !v; } thread u { n = 1; p(x[n]); } thread t { x[1] = true; x[1] = false; }",
    """0..1 n = 1; mutex L[2]; event E; bool x; proc p(ref mutex q) { lock q; assert !x; }
    thread u { wait E; p(L[n]); } thread t { lock L[0]; set E; x = true; x = false; }""",
    "bool y = true; mutex L; thread u { atomic { await y; lock L; } unlock L; } thread t { lock L; unlock L; }",
    """mutex L; thread_local bool p; context X when p;
    thread u { assert !in_context(owner(L), X); } thread t { lock L; p = true; p = false; unlock L; }""",
    "bool x; thread t { x = true; x = false; } proc p(bool v) { assert !v; } thread u { p(x); }",
    "bool x; thread t { x = true; x = false; } proc p() returns bool { return x; } thread u { bool l = p(); assert !l; }",
    "bool x[2]; thread t { x[1] = true; x[1] = false; } proc p(ref bool v) { assert !v; } thread u { p(x[1]); }",
    "0..1 n; bool x[2]; thread t { n = 1; n = 0; } thread u { x[n] = true; assert !x[1]; }",
    "bool x; context X when x; thread t { x = true; x = false; } thread u { assert !in_context(X); }",
    "bool x; context X when x; thread t { x = true; x = false; } thread u { assert current_context(none) == none; }",
    "bool x; context X when true; thread t { x = true; x = false; } thread u { aio_wait_while X (x); }",
    "thread_local bool p; thread t { p = true; p = false; } thread u { assert !(exists v in thread: v.p); }",
    "0..1 n; bool x[2]; thread t { n = 1; n = 0; } proc p() returns bool { return true; } thread u { x[n] = p(); assert !x[1]; }",
    "bool x; bool y; thread t { x = true; x = false; } thread u { while (x) { assert false; } }",
]


@pytest.mark.parametrize("text", OPEN)
def test_whatever_others_can_see_is_seen(text: str) -> None:
    plain, merged = both(f"{text} deadlock free;")
    assert merged == plain != set()


# ---------------------------------------------------------------- the engine


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge in the smallest models too, however little there is to merge."""
    monkeypatch.setattr(explicit, "FEW", 0)
    monkeypatch.setattr(scout, "ENOUGH", 1_000_000)


def told(program: Program, without: frozenset[str] = frozenset()) -> list[Event]:
    events: list[Event] = []
    explicit.run(program, Options(safety(program), without=without | {"symmetry"}), events.append)
    return events


def verdicts(program: Program, without: frozenset[str] = frozenset()) -> dict[str, tuple[Verdict, int | None]]:
    return {e.prop: (e.verdict, e.depth) for e in told(program, without) if isinstance(e, Finding)}


HIDDEN = "sem S max 1; thread u { post S; wait S; assert false; } thread t { post S; }"


def test_an_overflow_by_a_merged_post_hides_nothing(at_once: None) -> None:
    """Where the one post is taken first, the other one overflows, and what would have come behind it does not come."""
    assert set(verdicts(program_of(HIDDEN)).values()) == {(Verdict.VIOLATED, 2), (Verdict.VIOLATED, 3), (Verdict.PROVED, None)}


def test_silent_overflows_are_not_merged() -> None:
    text = HIDDEN + "disable range;"
    assert both(text) == ({"assert.u.1"}, {"assert.u.1"})
    text = "context X; oneshot bh b on X max 1 { } thread u { schedule b; assert false; } thread t { schedule b; } disable range;"
    assert both(text) == ({"assert.u.1"}, {"assert.u.1"})


def test_a_partial_deadlock_may_be_seen_as_a_global_one(at_once: None) -> None:
    text = "sem S max 1; thread t { skip; } thread u { wait S; } deadlock free;"
    assert both(text) == ({DEADLOCK_GLOBAL, DEADLOCK_PARTIAL}, {DEADLOCK_GLOBAL})
    said = verdicts(program_of(text))
    assert (said[DEADLOCK_PARTIAL], said[DEADLOCK_GLOBAL]) == ((Verdict.VIOLATED, 0), (Verdict.VIOLATED, 1))
    (only,) = [f for n, f in findings("explicit", program_of(text), (DEADLOCK_PARTIAL,), None).items() if n == DEADLOCK_PARTIAL]
    assert only.verdict is Verdict.VIOLATED


def test_witnesses_are_the_shortest(at_once: None) -> None:
    text = "0..9 n; thread t { skip; skip; skip; n = 1; assert n == 2; } thread u { skip; n = 2; } invariant i: n == 0;"
    assert verdicts(program_of(text)) == verdicts(program_of(text), frozenset({"merging"}))


def test_what_only_the_merged_search_finds_is_an_internal_error(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scout.Scout, "expand", lambda _, asked: set(asked))
    with pytest.raises(InternalError, match="nowhere else"):
        told(program_of("thread t { skip; assert true; }"))


def test_reasons_and_figures_say_that_steps_were_merged(at_once: None) -> None:
    program = program_of("mutex L; bool x; thread t[3] { loop { with L { x = true; x = false; } } }")
    events = told(program)
    reasons = {event.reason for event in events if isinstance(event, Finding)}
    assert reasons == {"all 1 reachable state and 3 transitions were explored (depth 0); merged steps count as one"}
    (figures,) = [event.figures for event in events if isinstance(event, Statistics)]
    assert (figures["states"], figures["merged states"]) == (1, 1)
    assert [event.note for event in events if isinstance(event, Progress)] == ["1 states, some steps merged"]
    assert not any("merged" in name for name in next(e.figures for e in told(program, frozenset({"merging"})) if isinstance(e, Statistics)))


def test_a_depth_or_liveness_asks_for_single_steps(at_once: None) -> None:
    program = program_of("bool x; thread t { skip; x = true; } liveness l: eventually x;")
    for options in (Options(safety(program), 5), Options(tuple(p.name for p in program.properties))):
        events: list[Event] = []
        explicit.run(program, options, events.append)
        assert next(dict(e.figures) for e in events if isinstance(e, Statistics)) == {"states": 3, "transitions": 2, "depth": 2}


def test_where_nothing_can_be_merged_it_is_not_tried_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explicit, "FEW", 10)
    monkeypatch.setattr(scout, "ENOUGH", 20)
    program = program_of("0..99 n; thread t[2] { loop { n = (n + 1) % 100; } }")
    (figures,) = [event.figures for event in told(program) if isinstance(event, Statistics)]
    assert figures["states"] == 100
    assert figures["merged states"] in range(20, 30)


# ---------------------------------------------------------------- generated models


def check(program: Program) -> None:
    """The same is violated, no later; only what is reachable is reached; the engine says the same."""
    machine = Machine(program)
    plain_states, plain = explored(program, merge=False, machine=machine)
    merged_states, merged = explored(program, merge=True, machine=machine)
    assert set(merged_states.states) <= set(plain_states.states)
    assert set(merged) <= set(plain)
    if RANGE not in plain:
        assert set(plain) - set(merged) <= ({DEADLOCK_PARTIAL} if DEADLOCK_GLOBAL in merged else set())
    else:
        assert RANGE in merged
    assert all(level <= plain[name] for name, level in merged.items() if name != DEADLOCK_PARTIAL)
    assert verdicts(program) == verdicts(program, frozenset({"merging"}))


@pytest.mark.parametrize("seed", range(0, 100, 10))
def test_generated_texts(seed: int, at_once: None) -> None:
    for number in range(seed, seed + 10):
        program = parsed(ModelText(random.Random(number).randrange).text())
        if size(program, 3000):
            check(program)


@pytest.mark.parametrize("seed", range(0, 60, 20))
def test_generated_weaves(seed: int, at_once: None) -> None:
    for number in range(seed, seed + 20):
        program = parsed(Weave(random.Random(number).randrange).text())
        if size(program, 1000):
            check(program)


@pytest.mark.parametrize("seed", range(0, 100, 25))
def test_generated_systems(seed: int, at_once: None) -> None:
    for number in range(seed, seed + 25):
        check(SystemBuilder(random.Random(number).randrange).program())
