"""Certificates for every size in which few members are told: what any size comes to is listed, what is claimed holds, tampering shows."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import product

import pytest
from differential import safety
from test_families import FOR_EVERY_SIZE, FROM_SOME_SIZE_ON, Crowd
from test_interp import program_of

from formal.certificates.covering import uncovered
from formal.certificates.crowded import Unsuited
from formal.certificates.following import Following
from formal.certificates.kindred import Kindred
from formal.certificates.kinds import Names
from formal.certificates.kinds_gathering import gathered
from formal.certificates.kinds_listing import KindsListing
from formal.certificates.lineup import Full
from formal.certificates.showing import Showing, Shown
from formal.program import Program


class Late(Exception):
    """It takes too long."""


def some_states(most: int) -> Callable[[str], None]:
    """Ends a search that takes more than so many looks at a state."""
    left = iter(range(most))

    def count(_: str) -> None:
        if next(left, None) is None:
            raise Late

    return count


class Pair:
    """A random model of two families, of N and of M threads: somebody goes through the one, somebody else through the other."""

    def __init__(self, seed: int) -> None:
        self._pick = random.Random(seed)
        self._crowd = Crowd(seed, loops=True)

    def text(self) -> str:
        own = " ".join(self._crowd.some(OF_THE_OTHER) for _ in range(self._pick.randint(1, 2)))
        body = self._pick.choice(("{}", "loop {{ {} }}")).format(own)
        through = " ".join(self._crowd.some(THROUGH_THE_OTHER) for _ in range(self._pick.randint(1, 2)))
        return "\n".join(
            [
                "param N in 1..* = 6; param M in 1..* = 6;",
                f"mutex L; sem S[N] max 1 = 0; 0..2 n[N]; bool f[t]; bool x; event E; sem Q max {self._pick.choice(('N', 'N + 1'))} = 0;",
                "bool g[M]; sem V[M] max 1 = 0; mutex P[M]; cond C; rwlock R;",
                f"thread t[i: N] {{ {self._crowd.some(OF_ONE)} {self._crowd.some(OF_ONE)} }}",
                f"thread w[j: M] {{ {body} }}",
                f"thread u {{ for v in 0..N - 1 {{ {self._crowd.some(THROUGH_ONE)} }} {self._crowd.some(OF_NOBODY)} }}",
                f"thread y {{ for a in 0..M - 1 {{ {through} }} }}",
                "deadlock free;",
                "invariant a: forall v in 0..N - 1: n[v] != 2 || x;",
                "invariant b: forall a in 0..M - 1: !g[a] || x;",
                "invariant c: forall v in thread: !holds(v, L) || !x;",
            ]
        )


OF_ONE = (
    "n[i] = 1;",
    "with L { n[i] = x ? 2 : 0; }",
    "wait S[i];",
    "post Q;",
    "f[t[i]] = true;",
    "if (exists a in 0..M - 1: g[a]) { n[i] = 1; }",
    "await n[i] != 0 || x;",
    "rdlock R; rdunlock R;",
    "with L { wait C with L; }",
)
OF_THE_OTHER = (
    "g[j] = true;",
    "with L { g[j] = !g[j]; }",
    "wait V[j];",
    "with P[j] { x = !x; }",
    "if (exists v in 0..N - 1: n[v] == 1) { g[j] = true; }",
    "await forall v in 0..N - 1: n[v] != 1;",
    "signal C;",
    "wrlock R; wrunlock R;",
    "wait E;",
)
THROUGH_ONE = ("n[v] = 1;", "post S[v];", "wait Q;", "if (n[v] == 1) { break; }", "join t[v];", "with L { n[v] = 0; }", "assert n[v] != 2;")
THROUGH_THE_OTHER = ("g[a] = true;", "post V[a];", "with P[a] { skip; }", "if (g[a]) { x = true; }", "with L { g[a] = false; }")
OF_NOBODY = (
    "skip;",
    "broadcast C;",
    "set E;",
    "x = true;",
    "await exists v in 0..N - 1: n[v] == 1; x = !x;",
    "wrlock R; x = true; wrunlock R;",
)


def kindred_of(program: Program, proves: Sequence[str] | None = None) -> Kindred | str:
    """The program of every size; or why there is no certificate for it."""
    try:
        return Kindred(program, dict.fromkeys(program.counts, 1), safety(program) if proves is None else proves)
    except Unsuited as reason:
        return str(reason)


def listed(kindred: Kindred, proves: Sequence[str], most: int = 600) -> KindsListing | None:
    """What is listed, if it can be told that these properties hold for every size, and in few looks."""
    try:
        return gathered(kindred, proves, some_states(most))
    except (Unsuited, Late):
        return None


def faults(kindred: Kindred, listing: KindsListing, proves: Sequence[str]) -> list[str]:
    """Why these states do not show that."""
    return uncovered(kindred, listing.states, proves)


def held_to(text: str, sizes: Sequence[int], most: int, looks: int = 600) -> tuple[list[str], int]:
    """What follows from what is listed: all states of these sizes are there, and none of them violates it. With how many were looked at."""
    program = program_of(text)
    kindred = kindred_of(program)
    listing = None if isinstance(kindred, str) else listed(kindred, (), looks)
    if isinstance(kindred, str) or listing is None:
        return [], 0
    names = safety(program)
    claimed = [name for name in names if not faults(kindred, listing, [name])]
    assert not claimed or not faults(kindred, listing, claimed)
    count = 0
    for size in product(sizes, repeat=len(kindred.sorts)):
        for full, violated in executed(kindred, size, most):
            told, others = kindred.lineup(size).of(full)
            assert told in listing.states, f"{size}: {told}\n{text}"
            assert set(others.values()) <= listing.states[told], f"{size}: {told}, {others}\n{text}"
            assert not violated & set(claimed), f"{size}: {violated & set(claimed)} in {told}\n{text}"
            count += 1
    return claimed, count


def executed(kindred: Kindred, size: tuple[int, ...], most: int) -> list[tuple[Full, set[str]]]:
    """States of one size, with who has given how much, one by one; and what they, or steps from them, violate."""
    lineup, following = kindred.lineup(size), Following(Showing(kindred))
    concrete = lineup.concrete
    seen = {lineup.first: None}
    todo = list(seen)
    found: list[tuple[Full, set[str]]] = []
    while todo and len(found) < most:
        full = todo.pop()
        violated = set(concrete.violated(full.state))
        for thread in range(len(concrete.threads)):
            violated.update(concrete.faults(full.state, thread))
            for state in concrete.steps(full.state, thread):
                after = Full(state, following.given(Shown(lineup, full), thread, full.state, state))
                if after not in seen:
                    seen[after] = None
                    todo.append(after)
        found.append((full, violated))
    return found


# ---------------------------------------------------------------- what is claimed, and what any size comes to

LOOPS = (5, 8, 11, 12, 13, 14, 17, 22, 26)  # models of which something is listed, in few states
PAIRS = (2, 5, 11)


@pytest.mark.parametrize("seed", LOOPS)
def test_whatever_a_size_comes_to_is_listed_and_what_is_claimed_holds(seed: int) -> None:
    held_to(Crowd(seed, loops=True).text(), (1, 2, 3, 4), 150, 200)


@pytest.mark.parametrize("seed", [0, 3, 8])
def test_the_same_without_loops(seed: int) -> None:
    held_to(Crowd(seed).text(), (1, 2, 3), 150, 100)


@pytest.mark.parametrize("seed", PAIRS)
def test_the_same_of_two_families(seed: int) -> None:
    claimed, looked_at = held_to(Pair(seed).text(), (1, 2), 150, 200)
    assert not claimed or looked_at


def test_enough_is_listed_to_be_looked_at() -> None:
    found = [held_to(Crowd(seed, loops=True).text(), (3,), 40, 200) for seed in (13, 14, 22)]
    assert all(looked_at for _, looked_at in found)
    assert sum(len(claimed) for claimed, _ in found) > 20


def test_who_waits_for_itself_never_goes_on() -> None:
    text = (
        "param N in 1..* = 6; bool f[N]; thread t[i: N] { f[i] = true; join t[i]; f[i] = false; } invariant a: forall v in t: !finished(v);"
    )
    program = program_of(text)
    kindred = kindred_of(program)
    assert isinstance(kindred, Kindred)
    listing = listed(kindred, ["invariant.a"])
    assert listing is not None
    assert faults(kindred, listing, ["invariant.a"]) == []


COUNTED = ("the last one", "kept below a bound")  # it is so because somebody is still there, or only so many are


@pytest.mark.parametrize("name", FOR_EVERY_SIZE)
def test_what_holds_for_every_size(name: str) -> None:
    program = program_of("param N in 1..* = 6;\n" + FOR_EVERY_SIZE[name])
    names = safety(program)
    kindred = kindred_of(program)
    assert isinstance(kindred, Kindred)
    listing = listed(kindred, names)
    assert (listing is None) == (name in COUNTED)
    if listing is not None:
        assert faults(kindred, listing, names) == []


@pytest.mark.parametrize(("text", "prop"), FROM_SOME_SIZE_ON.values(), ids=FROM_SOME_SIZE_ON)
def test_what_fails_from_some_size_on_has_none(text: str, prop: str) -> None:
    kindred = kindred_of(program_of("param N in 1..* = 6;\n" + text), [prop])
    assert isinstance(kindred, str) or listed(kindred, [prop]) is None


# By hand: in each, all that is named holds for every size, and nothing else that is asked for.
BY_HAND = {
    "nobody else": ("bool f[N]; thread t[i: N] { f[i] = true; await forall v in 0..N - 1: v == i || !f[v]; } deadlock free;", ""),
    "one of each": (
        "bool f[N]; bool g[N]; thread t[i: N] { choose { f[i] = true; await exists v in 0..N - 1: g[v]; }"
        " or { g[i] = true; await exists v in 0..N - 1: f[v]; } } deadlock free;",
        "",
    ),
    "readers": (
        "rwlock R; mutex L; thread t[i: N] { rdlock R; with L { skip; } rdunlock R; }"
        " thread u { with L { wrlock R; wrunlock R; } } deadlock free;",
        "",
    ),
    "a loop that is started": (
        "bool f[N]; thread t[i: N] { await f[i]; } thread u { for v in 0..N - 1 { f[v] = true; } } thread z { spawn u; } deadlock free;",
        "deadlock.global deadlock.partial",
    ),
    "a loop that starts a loop, and goes on": (
        "bool f[N]; bool g[N]; thread t[i: N] { choose { f[i] = true; } or { skip; } }"
        " thread u { for v in 0..N - 1 { g[v] = true; } } thread z { for v in 0..N - 1 { f[v] = false; spawn u; } }",
        "",
    ),
    "one loop behind another": (
        "bool f[N]; thread t[i: N] { skip; } thread u { for v in 0..N - 1 { f[v] = true; } }"
        " thread w { for v in 0..N - 1 { await f[v]; assert a: f[v]; } assert b: forall v in 0..N - 1: f[v]; } deadlock free;",
        "assert.a assert.b deadlock.global deadlock.partial",
    ),
    "one loop beside another": (
        "bool f[N]; bool g[N]; thread t[i: N] { skip; } thread u { for v in 0..N - 1 { f[v] = true; } }"
        " thread w { for v in 0..N - 1 { g[v] = true; assert a: f[v]; } }",
        "",
    ),
    "a loop in a bottom half": (
        "context X; bool f[N]; bh b on X { for v in 0..N - 1 { f[v] = true; } } thread t[i: N] { await f[i]; }"
        " thread u { schedule b; poll X blocking; assert a: forall v in 0..N - 1: f[v]; } deadlock free;",
        "assert.a deadlock.global deadlock.partial",
    ),
    "bottom halves of two kinds": (
        "context X; 0..2 n[N]; bh b[i: N] on X { assert a: n[i] != 2; assert b: n[i] != 0; }"
        " thread t[i: N] { choose { n[i] = 1; } or { n[i] = 2; } schedule b[i]; }"
        " thread u { loop { idle: poll X blocking; } } deadlock free;",
        "assert.b deadlock.global deadlock.partial",
    ),
    "two that keep one waiting": (
        "0..2 n[N]; thread t[i: N] { choose { n[i] = 1; } or { n[i] = 2; } }"
        " thread u { await !((exists v in 0..N - 1: n[v] == 1) && (exists v in 0..N - 1: n[v] == 2)); } deadlock free;",
        "",
    ),
    "two that are not to be together": (
        "0..2 n[N]; thread t[i: N] { choose { n[i] = 1; } or { n[i] = 2; } }"
        " invariant a: !(exists v in 0..N - 1: n[v] == 1) || !(exists v in 0..N - 1: n[v] == 2);"
        " invariant b: (exists v in 0..N - 1: n[v] == 1) || !(forall v in 0..N - 1: n[v] == 1);",
        "invariant.b",
    ),
    "one too few woken": (
        "mutex L; cond C; bool go; thread t[i: N] { with L { while (!go) { wait C with L; } } }"
        " thread u { with L { go = true; signal C; } } deadlock free;",
        "",
    ),
    "all woken": (
        "mutex L; cond C; bool go; thread t[i: N] { with L { while (!go) { wait C with L; } } }"
        " thread u { with L { go = true; broadcast C; } } deadlock free;",
        "deadlock.global deadlock.partial",
    ),
    "one wait more": (
        "sem s max N = N; sem done max N = 0; thread t[i: N] { wait s; post done; }"
        " thread u { for v in 0..N - 1 { wait done; join t[v]; } assert a: forall v in 0..N - 1: finished(t[v]); wait s; } deadlock free;",
        "assert.a",
    ),
}
NAMED = ("deadlock.global", "deadlock.partial", "assert.", "invariant.a", "invariant.b")


@pytest.mark.parametrize(("text", "holds"), BY_HAND.values(), ids=BY_HAND)
def test_what_holds_is_told_from_what_does_not(text: str, holds: str) -> None:
    claimed, looked_at = held_to("param N in 1..* = 6;\n" + text, (1, 2, 3), 100)
    assert looked_at
    assert " ".join(sorted(name for name in claimed if name.startswith(NAMED))) == holds


# A semaphore that is looked at otherwise, a bound that is none, loops within loops, members that go through members.
REFUSED = {
    "its value": ("sem s max N = 0; thread t[N] { post s; } thread u { await count(s) == 1; }", "looked at otherwise than by"),
    "its value, by an invariant": ("sem s max N = 0; thread t[N] { post s; } invariant count(s) != 9;", "looked at otherwise than by"),
    "in an atomic": ("sem s max N = 0; thread t[N] { atomic { post s; } }", "looked at otherwise than by"),
    "a loop in a loop": (
        "bool f[N]; bool g[N]; thread t[i: N] { await f[i]; }"
        " thread u { for v in 0..N - 1 { for w in 0..N - 1 { f[w] = true; } g[v] = true; } }",
        "goes through members while it goes",
    ),
    "a loop of their own": ("bool f[N]; thread t[i: N] { for v in 0..N - 1 { f[v] = true; } }", "goes through members itself"),
    "how many": (
        "bool f[N]; thread t[i: N] { f[i] = true; } invariant (number of v in 0..N - 1: f[v]) >= 0;",
        "one of them is told from two",
    ),
    "more and more posts": ("sem s max N = 0; thread t[N] { loop { post s; } }", "how often does not follow"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_told_is_refused_with_the_reason(text: str, why: str) -> None:
    kindred = kindred_of(program_of("param N in 1..* = 6;\n" + text))
    if not isinstance(kindred, str):
        with pytest.raises(Unsuited, match=why):
            gathered(kindred, (), some_states(500))
    else:
        assert why in kindred


def test_a_model_that_begins_with_more_is_refused() -> None:
    assert "begins with 2" in str(kindred_of(program_of("param N in 2..* = 6; bool f[N]; thread t[i: N] { f[i] = true; }")))


def test_members_are_named_by_sort() -> None:
    names = Names([["N", "t"], ["M", "w", "g"]])
    assert names.members("w[3].at=t:7@N[12]") == [(1, 3), (0, 12)]
    assert (names.sort_of("g[*].x"), names.sort_of("gg[1]"), names.anybody("g[4]=true")) == (1, None, "g[*]=true")
    assert names.renamed("t[1].waiter.w[1]", {(0, 1): (0, 5), (1, 1): (1, 2)}) == "t[5].waiter.w[2]"
