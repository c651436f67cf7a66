"""Certificates for every size in which few members are told: what any size comes to is listed, what is claimed holds, tampering shows."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from differential import safety
from test_families import FOR_EVERY_SIZE, FROM_SOME_SIZE_ON, Crowd
from test_interp import program_of

from formal.certificates.covering import uncovered
from formal.certificates.crowded import Unsuited
from formal.certificates.fields import Fields
from formal.certificates.following import Following
from formal.certificates.kindred import Kindred
from formal.certificates.kinds import Kind, Names, Told
from formal.certificates.kinds_gathering import gathered
from formal.certificates.kinds_listing import KindsListing, document, read
from formal.certificates.lineup import Full
from formal.certificates.loading import load_for
from formal.certificates.record import read as read_record
from formal.certificates.showing import Showing, Shown
from formal.cli import main
from formal.console import Exit
from formal.program import Program
from formal.recorded import BadRecord
from formal.resources import schema_path


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


# ---------------------------------------------------------------- as text

K = Kind(0, ())
L = Kind(0, ("f[t[*]]=true",))
R = Kind(0, ("reached by u.at",))
W = Kind(1, ())
LISTING = KindsListing(
    {"N": 1, "M": 1},
    ("range",),
    {
        Told((), (), ()): frozenset((K, W)),
        Told(("x=true",), (R,), ("u.at=u:1@N[0]",)): frozenset((K, L, W)),
        Told(("x=true",), (Kind(0, ("f[t[*]]=true", "reached by u.at")),), ("u.at=u:1@N[0]",)): frozenset((K, L, W)),
    },
)


def test_states_are_listed_in_few_lines() -> None:
    written = document(LISTING)
    assert written["kinds"]["k1"] == {"of": "M", "facts": []}
    assert written["companies"] == {"c1": "k1 k2 k3", "c2": "k1 k5"} or set(written["companies"]) == {"c1", "c2"}
    assert [len(entry["told"]) for entry in written["states"]] == [1, 2]
    assert written["states"][0] == {"shared": [], "links": [], "others": written["states"][0]["others"], "told": ["nobody"]}
    assert read(Fields(json.loads(json.dumps(written)), "family")) == LISTING
    assert document(replace(LISTING, states=dict(reversed(list(LISTING.states.items()))))) == written


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one["states"].reverse(), "not spelled as they are written"),
        (lambda one: one["states"][1]["told"].append("k9"), "speaks of `k9`"),
        (lambda one: one["states"][1]["told"].append("k1"), "not spelled"),
        (lambda one: one["states"][1].update(others="c7"), "none of the companies"),
        (lambda one: one["companies"].update(c1="k1 k77"), "speaks of `k77`"),
        (lambda one: one["kinds"].update(k1={"of": "Q", "facts": []}), "none of the parameters"),
        (lambda one: one["kinds"].update(k1=[]), "not an object"),
        (lambda one: one.update(kinds=None), "is not an object"),
        (lambda one: one["parameters"].update(N="1"), "not a whole number"),
        (lambda one: one.pop("proves"), "`family.proves` is missing"),
    ],
)
def test_what_is_not_spelled_so_is_refused(change: Callable[[Any], object], message: str) -> None:
    written = json.loads(json.dumps(document(LISTING)))
    change(written)
    with pytest.raises(BadRecord, match=message):
        read(Fields(written, "family"))


# ---------------------------------------------------------------- records

LOOPED = """protocol looped "a semaphore for all";
param N in 1..* = 3;
sem s max N = 0;
bool f[N];
thread t[i: N] { f[i] = true; post s; }
thread u { for v in 0..N - 1 { wait s; join t[v]; } assert forall v in 0..N - 1: f[v]; }
invariant own: forall v in 0..N - 1: finished(t[v]) implies f[v];
deadlock free;
expect proved;
"""
RECORD = "proofs/looped-N=1..any.json"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The record of a model."""
    folder = tmp_path_factory.mktemp("kinds")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("looped.dsl").write_text(LOOPED)
        assert main(["prove", "looped.dsl", "-D", "N=1..*", "--save", "proofs", "--quiet"]) == Exit.OK
    return (folder / RECORD).read_bytes()


@pytest.fixture
def here(prepared: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the model and its record."""
    monkeypatch.chdir(tmp_path)
    Path("looped.dsl").write_text(LOOPED)
    Path("proofs").mkdir()
    Path(RECORD).write_bytes(prepared)
    return tmp_path


def recheck(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["recheck", RECORD, *words])
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    return code, told.out + told.err


def test_it_stands(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = recheck(capsys, "--explore")
    assert code == Exit.OK
    assert ": stands\n" in out
    assert "every step from one leads to one, for every N >= 1" in out
    assert "reachable states with N=1 to 3 violate nothing that it proves" in out
    found = json.loads(recheck(capsys, "--format", "json")[1])
    listing = read_record(Path(RECORD).read_text()).family
    assert isinstance(listing, KindsListing)
    assert found["states_of_any_size"] == len(listing.states)
    assert (found["stands"], found["obligations"], found["not_rechecked"]) == (True, [], {})


def test_the_record_is_as_its_schema_says_and_the_same_each_time(here: Path, prepared: bytes) -> None:
    jsonschema.Draft202012Validator(json.loads(schema_path("record").read_text())).validate(json.loads(prepared))
    assert main(["prove", "looped.dsl", "-D", "N=1..*", "--save", "again", "--quiet"]) == Exit.OK
    assert Path(RECORD.replace("proofs", "again")).read_bytes() == prepared
    assert b"s.count given=" in prepared
    assert b"u.at=u:6@N[0]" in prepared


def relist(one: dict[str, Any], change: Callable[[dict[Told, frozenset[Kind]]], dict[Told, frozenset[Kind]]]) -> None:
    """The states changed, spelled as they would be."""
    listing = read(Fields(one["family"], "family"))
    one["family"] = document(replace(listing, states=change(dict(listing.states))))


def without_a_state(states: dict[Told, frozenset[Kind]]) -> dict[Told, frozenset[Kind]]:
    return dict(list(states.items())[:3] + list(states.items())[4:])


def without_a_kind(states: dict[Told, frozenset[Kind]]) -> dict[Told, frozenset[Kind]]:
    told = max(states, key=lambda one: len(states[one]))
    return {**states, told: frozenset(sorted(states[told])[1:])}


def put(old: str, new: str) -> Callable[[dict[Told, frozenset[Kind]]], dict[Told, frozenset[Kind]]]:
    """Every kind that says the one says the other."""

    def kind(one: Kind) -> Kind:
        return Kind(one.sort, tuple(sorted(fact.replace(old, new) for fact in one.facts)))

    def change(states: dict[Told, frozenset[Kind]]) -> dict[Told, frozenset[Kind]]:
        return {replace(one, told=tuple(sorted(map(kind, one.told)))): frozenset(map(kind, others)) for one, others in states.items()}

    return change


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], int, str]] = {
    "a state": (lambda one: relist(one, without_a_state), 1, "is not among its states"),
    "all states": (lambda one: one["family"]["states"].clear(), 2, "not spelled as they are written"),
    "a kind": (lambda one: relist(one, without_a_kind), 1, "may have one more kind of others"),
    "what was given": (lambda one: relist(one, put("s.count given=1", "s.count given=0")), 1, "contradicts itself"),
    "more given": (lambda one: relist(one, put("s.count given=1", "s.count given=2")), 1, "than there may be"),
    "what is no number": (lambda one: relist(one, put("s.count given=1", "s.count given=x")), 1, "which nothing in the model can be"),
    "where one stands": (lambda one: relist(one, put("ahead of", "passed by")), 1, "may have one more kind of others"),
    "a fact that is none": (lambda one: relist(one, put("f[*]=true", "g[*]=true")), 1, "which nothing in the model can be"),
    "the digest": (lambda one: one.update(digest="sha256:0"), 1, "looped.dsl has changed since this was recorded"),
    "a property": (
        lambda one: one["family"]["proves"].remove("invariant.own"),
        1,
        "invariant.own is proved, says the record, and nothing in it",
    ),
    "a property that is none": (lambda one: one["family"]["proves"].append("deadlock.none"), 1, "is not a property of the model"),
    "from which size on": (lambda one: one["family"]["parameters"].update(N=2), 1, "are not those of its `family`"),
    "another parameter": (lambda one: one["family"].update(parameters={"M": 1}), 2, "`family.kinds.k1.of` is `N`"),
    "one size": (lambda one: one["parameters"].update(N=3), 1, "changed since this was recorded"),
    "the version": (lambda one: one.update(record=3), 2, "is not a proof record"),
    "no family": (lambda one: one.update(family=None), 2, "`family` is not an object"),
}


@pytest.mark.parametrize(("change", "code", "message"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_caught(
    here: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object], code: int, message: str
) -> None:
    written = json.loads(Path(RECORD).read_text())
    before = copy.deepcopy(written)
    change(written)
    assert written != before
    Path(RECORD).write_text(json.dumps(written))
    found, out = recheck(capsys)
    assert found == code, out
    assert "stands" not in out
    assert message in out


def test_any_state_and_any_kind_is_missed(here: Path) -> None:
    listing = read_record(Path(RECORD).read_text()).family
    kindred = kindred_of(program_of(LOOPED.partition("\n")[2].replace("expect proved;", "")))
    assert isinstance(listing, KindsListing)
    assert isinstance(kindred, Kindred)
    assert uncovered(kindred, listing.states, listing.proves) == []
    for told, kinds in listing.states.items():
        assert uncovered(kindred, {one: others for one, others in listing.states.items() if one != told}, ())
        for kind in kinds:
            assert uncovered(kindred, {**listing.states, told: kinds - {kind}}, ())


def test_two_numbers_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = LOOPED.replace("looped", "two").replace("bool f", "param M in 1..* = 2; mutex L; thread w[M] { with L { skip; } } bool f")
    Path("two.dsl").write_text(two)
    assert main(["prove", "two.dsl", "-D", "N=1..*", "-D", "M=1..*", "--save", "proofs", "--quiet"]) == Exit.OK
    assert main(["recheck", "proofs/two-M=1..any-N=1..any.json"]) == Exit.OK
    assert "for every M >= 1 and every N >= 1" in capsys.readouterr().out
    assert main(["prove", "two.dsl", "-D", "N=1..*", "--save", "proofs", "--quiet"]) == Exit.OK
    assert main(["recheck", "proofs/two-N=1..any.json"]) == Exit.OK
    record = Path("proofs/two-N=1..any.json")
    changed = json.loads(record.read_text())
    changed["family"]["parameters"]["M"] = 9
    record.write_text(json.dumps(changed))
    assert main(["recheck", str(record)]) == Exit.VIOLATED
    assert "are not those of its `family`" in capsys.readouterr().out


def test_what_the_model_violates_is_not_proved(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The record of the model as it was, with the digest of what it is now."""
    Path("looped.dsl").write_text(LOOPED.replace("f[i] = true; post s;", "post s; f[i] = true;").replace("join t[v];", "f[v] = f[v];"))
    assert "has changed since" in recheck(capsys)[1]
    program = load_for(read_record(Path(RECORD).read_text())).program
    assert program is not None
    Path(RECORD).write_text(json.dumps({**json.loads(Path(RECORD).read_text()), "digest": program.digest}))
    code, out = recheck(capsys)
    assert code == Exit.VIOLATED
    assert "stands" not in out
