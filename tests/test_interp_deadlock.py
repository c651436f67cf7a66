"""The three deadlock properties, and who could end which wait."""

from __future__ import annotations

import pytest
from test_interp import Run, violations

from formal.program import DEADLOCK_GLOBAL, DEADLOCK_LOCK_ORDER, DEADLOCK_PARTIAL

GLOBAL, PARTIAL, ORDER = DEADLOCK_GLOBAL, DEADLOCK_PARTIAL, DEADLOCK_LOCK_ORDER
RUNNING = "thread busy { loop { skip; } }"  # somebody can always move, and can end nothing


def deadlocks(text: str) -> dict[str, int | None]:
    return violations(text + " deadlock free;")


CASES = [
    # global, and idleness
    ("event E; thread t { wait E; }", {GLOBAL: 0}),
    ("event E; thread t { idle: wait E; }", {}),
    ("event E; thread t { idle: wait E; } thread u { skip; wait E; }", {GLOBAL: 1}),
    ("thread t { skip; }", {}),
    # whoever runs on hides nothing
    ("event E; thread t { wait E; }" + RUNNING, {PARTIAL: 0}),
    ("event E; thread t { idle: wait E; }" + RUNNING, {}),
    ("event E; thread t { wait E; } thread u { loop { choose { skip; } or { set E; } } }", {}),
    ("event E; thread t { wait E; } thread u { skip; reset E; loop { skip; } }", {PARTIAL: 0}),
    # lock order
    ("mutex A; mutex B; thread t { with A { with B { } } } thread u { with B { with A { } } }", {GLOBAL: 2, ORDER: 2}),
    ("mutex A; mutex B; thread t { with A { with B { } } } thread u { with B { with A { } } }" + RUNNING, {PARTIAL: 2, ORDER: 2}),
    ("mutex A; rwlock R; thread t { rdlock R; lock A; } thread u { lock A; wrlock R; }", {GLOBAL: 2, ORDER: 2}),
    ("mutex A; rwlock R; thread t { wrlock R; lock A; } thread u { lock A; rdlock R; }", {GLOBAL: 2, ORDER: 2}),
    ("mutex A; mutex B; thread t { lock A; atomic { assert true; lock B; } } thread u { lock B; lock A; }", {GLOBAL: 2, ORDER: 2}),
    # semaphores: every thread that may still post
    ("sem S max 1; mutex L; thread t { lock L; wait S; unlock L; } thread u { lock L; post S; unlock L; }" + RUNNING, {PARTIAL: 1}),
    ("sem S max 9; thread t { wait S; } thread u { while (true) { skip; } post S; }", {PARTIAL: 0}),
    ("sem S[2] max 1; thread t { wait S[0]; } thread u { loop { choose { skip; } or { post S[1]; wait S[1]; } } }", {PARTIAL: 0}),
    ("sem S[2] max 1; 0..1 n; thread t { wait S[0]; } thread u { loop { choose { skip; } or { atomic { post S[n]; wait S[n]; } } } }", {}),
    # who waits, waits for what its index picks now; who posts, may post any element that its index could pick
    (
        "sem S[2] max 1; 0..1 n; thread t { wait S[n]; } thread u { loop { choose { skip; } or { atomic { post S[1]; wait S[1]; } } } }",
        {PARTIAL: 0},
    ),
    ("0..1 n; thread w[i: 2] { if (i == 0) { idle: await false; } loop { skip; } } thread b { join w[n]; }", {PARTIAL: 1}),
    ("event E[2]; 0..1 n; proc p(ref event e) { set e; } thread t { wait E[1]; } thread u { loop { p(E[n]); } }", {}),
    # control that never gets there
    ("event E; thread t { wait E; } thread u { loop { skip; } set E; }", {PARTIAL: 0}),
    ("event E; proc p() { loop { skip; } } thread t { wait E; } thread u { p(); set E; }", {PARTIAL: 0}),
    ("event E; bool x; proc p() { return; set E; } thread t { wait E; } thread u { loop { x = !x; p(); } }", {PARTIAL: 0}),
    (
        "event E; bool x; proc p() { x = !x; if (x) { p(); } set E; } thread t { wait E; } thread u { loop { p(); } } disable nesting;",
        {},
    ),
    # conditions
    ("mutex L; cond C; thread t { lock L; wait C with L; unlock L; }" + RUNNING, {PARTIAL: 2}),
    ("mutex L; cond C; thread t { lock L; wait C with L; unlock L; } thread u { loop { broadcast C; } }", {}),
    # contexts: whoever may schedule, through bottom halves too
    ("context X; bh b on X { } thread t { poll X blocking; }" + RUNNING, {PARTIAL: 0}),
    ("context X; bh b on X { } thread t { poll X blocking; } thread u { loop { choose { skip; } or { schedule b; } } }", {}),
    ("context X; context Y; bh b on X { } bh c on Y { schedule b; } thread t { poll X blocking; } thread u { loop { poll Y; } }", {}),
    ("context X; thread t { await pending(X); } thread u { loop { poll X; } }", {PARTIAL: 0}),  # nothing is ever pending there
    # threads that are not there
    ("event E; thread t { wait E; spawn u; } thread u { set E; }" + RUNNING, {PARTIAL: 0}),
    ("event E; thread t { wait E; } thread u { set E; } thread v { loop { choose { skip; } or { spawn u; join u; } } }", {}),
    ("mutex L; thread t { lock L; wait E; } event E; thread u { join t; }" + RUNNING, {PARTIAL: 1}),
    # await: whoever may change what it speaks of
    ("bool x; bool y; thread t { await x; } thread u { loop { y = !y; } }", {PARTIAL: 0}),
    ("bool x; bool y; thread t { await x && !y; } thread u { loop { y = !y; } }", {}),
    ("mutex L; thread t { await holds(u, L); } thread u { loop { choose { skip; } or { with L { } } } }", {}),
    ("bool x; context X when x; thread u { await in_context(none, X); } thread t { skip; x = true; }", {}),
    ("thread t { await at(u, there); } thread u { loop { choose { skip; } or { there: skip; } } }", {}),
    ("bool a[2]; thread t { await a[1]; } thread u { loop { a[0] = !a[0]; } }", {PARTIAL: 0}),
    # an atomic waits for its first statement
    ("bool x; thread t { atomic { await x; x = false; } } thread u { loop { choose { skip; } or { x = true; } } }", {}),
    ("bool x; thread t { atomic { skip; await x; } }" + RUNNING, {PARTIAL: 0}),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_deadlock(text: str, expected: dict[str, int]) -> None:
    assert deadlocks(text) == expected


def test_evidence_names_the_holder() -> None:
    run = Run("mutex A; mutex B; thread t { lock A; lock B; } thread u { lock B; lock A; } deadlock free;")
    run.step("t")
    assert run.machine.deadlocks(run.state) == {}
    run.step("u")
    found = run.machine.deadlocks(run.state)
    assert list(found) == [GLOBAL, ORDER]
    members = found[ORDER].members
    assert [(one.thread, one.ends) for one in members] == [(0, (1,)), (1, (0,))]
