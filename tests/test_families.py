"""Families of any size: what is proved for every size holds at each, and what fails at some size is proved for none beyond it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from differential import safety
from swarms import Swarm
from test_interp import program_of
from test_symmetry import explored

from formal.cli import main
from formal.console import Exit
from formal.engines import FAMILIES, LEMMAS, RACING, contenders, families, members
from formal.engines.counted import Counted
from formal.engines.protocol import Event, Finding, Options
from formal.engines.untold import Untold
from formal.frontend import load, load_text, resized
from formal.interp import Entangled, Machine, TooFew, Uncountable
from formal.pipeline import Request, prove
from formal.program import DEADLOCK_PARTIAL, Program
from formal.verdict import Verdict

MODELS = Path(__file__).parent.parent / "models"

# ---------------------------------------------------------------- models


class Crowd:
    """A random model of a family of N threads that run the same text, with an array for each, and of somebody else. `loops`: who may go
    through the members one by one, and there may be a semaphore that goes further the more of them there are."""

    def __init__(self, seed: int, *, loops: bool = False) -> None:
        self._pick = random.Random(seed)
        self._loops = loops

    def text(self) -> str:
        own = " ".join(self.statement() for _ in range(self._pick.randint(1, 3)))
        body = self.some(("{}", "loop {{ {} }}")).format(own)
        grows = f"sem Q max {self._pick.choice(('N', '2 * N', 'N + 1'))} = {self._pick.choice(('0', '0', '1', 'N'))};"
        lines = [
            "param N in 1..* = 9;",
            *([grows] if self._loops else ()),
            "mutex L; mutex M[N]; rwlock R; sem G max 3 = 1; event E;",
            f"sem S[N] max 1 = {self._pick.choice((0, 0, 1))};",
            "0..2 n[N]; bool f[t]; bool x; 0..3 k; cond C; context X; thread_local bool p;",
            f"bh b[i: N] on X {{ {self.plain('i')} }}",
            f"thread t[i: N] {{ {body} }}",
            f"thread u {{ {self.around()} {self.around()} }}",
            "proc q(ref mutex m, ref 0..2 k) { with m { k = 1; skip; } }",
            "deadlock free;",
            *(f"invariant {name}: {self.condition()};" for name in "abcd"),
        ]
        return "\n".join(lines)

    def statement(self, i: str = "i") -> str:
        wrap = self.some(
            (
                "with L {{ {0} {1} }}",
                "if (n[i] == 1) {{ {0} }} else {{ {1} }}",
                "if (exists v in t: f[v]) {{ {0} }} else {{ {1} }}",
                "if (forall v in 0..N - 1: n[v] == 0) {{ {0} }}",
                "choose {{ {0} }} or {{ {1} }}",
                "atomic {{ x = !x; {0} }}",
                "atomic {{ if (forall v in 0..N - 1: n[v] != 1) {{ n[i] = 1; }} else {{ k = k + 1; }} }}",
                "rdlock R; {0} rdunlock R;",
                "wrlock R; {0} wrunlock R;",
                "atomic {{ f[t[i]] = false; x = exists a in t: exists b in t: a != b && f[a] && f[b]; }}",
                "atomic {{ n[i] = 0; if ((number of v in 0..N - 1: n[v] == 1) >= 1) {{ x = !x; }} }}",
                "wait G; {0} post G;",
                "{0}",
                "{0}",
            )
        )
        inner = self.plain(i), self.plain(i)
        if wrap.startswith("atomic"):
            inner = self.some((f"n[{i}] = 1;", f"f[t[{i}]] = true;", f"schedule b[{i}];")), ""
        return wrap.format(*inner)

    def plain(self, i: str) -> str:
        return self.some(
            (
                "skip;",
                f"n[{i}] = 1;",
                f"n[{i}] = x ? 2 : 0;",
                "x = true;",
                "x = false;",
                f"with M[{i}] {{ skip; }}",
                f"wait S[{i}];",
                f"post S[{i}];",
                f"schedule b[{i}];",
                "poll X;",
                "p = true;",
                f"f[t[{i}]] = true;",
                f"await n[{i}] != 0 || x;",
                "lock L; unlock L;",
                "broadcast C;",
                "with L { wait C with L; }",
                f"q(M[{i}], n[{i}]);",
                f"assert n[{i}] != 2 || !x;",
                "set E;",
                "wait E;",
                "if (k < 3) { k = k + 1; }",
                *(("post Q;", "post Q;", "wait Q;") if self._loops else ()),
            )
        )

    def one_by_one(self) -> str:
        """A loop over all of them, in order."""
        inside = " ".join(
            self.some(
                (
                    "n[v] = 1;",
                    "n[v] = x ? 2 : 0;",
                    "post S[v];",
                    "wait S[v];",
                    "wait Q;",
                    "post Q;",
                    "with M[v] { skip; }",
                    "await n[v] != 0;",
                    "schedule b[v];",
                    "if (n[v] == 1) { break; }",
                    "if (n[v] == 1) { x = !x; }",
                    "f[t[v]] = true;",
                    "lock L; n[v] = 0; unlock L;",
                    "assert n[v] != 2;",
                    "assert forall w in 0..N - 1: n[w] == 0;",
                    "atomic { with M[v] { if (f[t[v]]) { continue; } n[v] = 1; } }",
                    "q(M[v], n[v]);",
                )
            )
            for _ in range(self._pick.randint(1, 2))
        )
        return self.some(("for v in 0..N - 1 {{ {} }}", "for v in 0..N - 1 {{ {} }}", "loop {{ for v in 0..N - 1 {{ {} }} }}")).format(
            inside
        )

    def around(self) -> str:
        """What somebody does with all of them, or with none."""
        if self._loops and self._pick.random() < 0.6:
            return self.one_by_one()
        return self.some(
            (
                "atomic { for v in 0..N - 1 { if (n[v] == 0) { n[v] = 1; schedule b[v]; } } }",
                "atomic { for v in t { f[v] = false; } }",
                "x = true;",
                "with L { x = !x; }",
                "loop { poll X blocking; }",
                "await forall v in 0..N - 1: n[v] != 0; x = !x;",
                "while (exists v in t: !f[v]) { skip; } x = true;",
                "wrlock R; x = true; wrunlock R;",
                "with L { while (exists v in 0..N - 1: n[v] == 0) { wait C with L; } }",
                "if ((number of v in 0..N - 1: n[v] == 1) > 1) { x = true; }",
                "wait G; wait E; post G;",
                "signal C;",
            )
        )

    def condition(self) -> str:
        return self.some(
            (
                "forall v in 0..N - 1: n[v] != 2 || x",
                f"(number of v in 0..N - 1: n[v] == 1) < {self._pick.randint(1, 3)}",
                f"(number of v in t: f[v]) <= {self._pick.randint(1, 2)}",
                "forall v in t: f[v] implies !v.p",
                "forall v in thread: !holds(v, L) || x",
                "exists v in 0..N - 1: n[v] == 0 || pending(b[v])",
                "forall v in 0..N - 1: forall w in 0..N - 1: v != w implies !(n[v] == 2 && n[w] == 2)",
                "forall a in t: forall b in t: forall c in t: a == b || b == c || a == c || !f[a] || !f[b] || !f[c]",
                "!x || owner(L) != u",
                "forall v in 0..N - 1: owner(M[v]) == none || owner(M[v]) == t[v]",
                "k < 3",
                "forall v in t: holds(v, R) implies !x",
            )
        )

    def some(self, texts: tuple[str, ...]) -> str:
        """One of them; with loops, seldom one that tells a member from two."""
        if self._loops and self._pick.random() < 0.97:
            texts = tuple(text for text in texts if "number of" not in text and len(re.findall("forall|exists", text)) < 2)
        return self._pick.choice(texts)


Way = type[Counted] | type[Untold]


def proved(
    program: Program, size: int, way: Way, without: frozenset[str] = frozenset(), only: Collection[str] | None = None
) -> tuple[int, set[str]] | None:
    """What a search with so many members proves, and from which number on; None where it is too few, or nothing can be said. `only`: where
    no more than these properties are asked for."""
    names = safety(program)
    asked = [prop for prop in program.properties if prop.name in (names if only is None else only)]
    events: list[Event] = []
    try:
        family = members.family(program, ())
        if not (family.counted if way is Counted else family.untold):
            return None
        search = way(family, asked, Options(names, without=without), size)
        search.explore(events.append)
    except (TooFew, Entangled, Uncountable, members.Unsuited):
        return None
    families.concluded(search, asked, {}, events.append)
    found = {event.prop for event in events if isinstance(event, Finding) and event.verdict is Verdict.PROVED}
    return search.first["N"], found


def violated(program: Program, size: int, most: int = 4000) -> set[str] | None:
    """What is violated with exactly so many members; None if that takes too long to find out. A `for` takes them in order."""
    small = resized(program, {"N": size})
    assert small is not None
    conditions = [prop.condition for prop in small.properties if prop.kind == "invariant" and prop.condition is not None]
    found = explored(small, fold=Machine(small).symmetry(conditions).exact, most=most)
    return None if found is None else found[1]


def claims_of(program: Program, sizes: tuple[int, ...]) -> list[tuple[int, set[str]]]:
    """What is proved in each way, with quiet steps merged and without, and from which number on."""
    found = [
        proved(program, size, way, frozenset(without))
        for way in (Counted, Untold)
        for size in (sizes if way is Counted else (4, 8))
        for without in ((), ("merging",))
    ]
    if found:  # what is asked for alone is answered as it is with others
        found += [proved(program, max(sizes, default=4), way, only=(DEADLOCK_PARTIAL,)) for way in (Counted, Untold)]
    return [claim for claim in found if claim is not None and claim[1]]


def held_to(text: str, sizes: tuple[int, ...] = (3, 4, 5, 6), most: int = 4000) -> int:
    """What is proved is not violated at the sizes that can be looked at. How many proofs were looked at."""
    program = program_of(text)
    claims = claims_of(program, sizes)
    looked_at = 0
    for real in range(2, 7) if claims else ():
        if any(first <= real for first, _ in claims):
            bad = violated(program, real, most)
            if bad is None:
                break
            for first, claimed in claims:
                if first <= real <= first + 2:
                    assert not claimed & bad, f"proved from {first} on, violated with {real}: {claimed & bad}\n{text}"
                    looked_at += len(claimed)
    return looked_at


# ---------------------------------------------------------------- nothing is proved that is not so


@pytest.mark.parametrize("seed", range(24))
def test_what_is_proved_for_every_size_holds_at_each(seed: int) -> None:
    held_to(Crowd(seed).text())


@pytest.mark.parametrize("seed", range(14))
def test_what_is_proved_of_loops_over_members_holds_at_each_size(seed: int) -> None:
    held_to(Crowd(seed, loops=True).text(), (), 200)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_proved_of_a_few_constructs_holds_at_each_size(seed: int) -> None:
    held_to(Swarm(seed).text(), (6,), 300)


def findings(text: str) -> dict[str, Finding]:
    """What the engine says of a model with N = 12."""
    program = load_text("protocol t;\nparam N in 1..* = 12;\n" + text, "<text>").program
    assert program is not None
    events: list[Event] = []
    families.run(program, Options(tuple(prop.name for prop in program.properties)), events.append)
    return {event.prop: event for event in events if isinstance(event, Finding)}


# In each, the assertion fails, or the invariant, only where there are so many members.
FROM_SOME_SIZE_ON = {
    **{
        f"always, by the bottom half of one of six kinds, with {value}": (
            "context X; 0..6 n[N]; bh b[i: N] on X { " + " ".join(f"assert a{k}: n[i] != {k};" for k in range(1, 7)) + " }"
            " thread t[i: N] { choose " + " or ".join(f"{{ n[i] = {k}; }}" for k in range(1, 7)) + " schedule b[i]; }"
            " thread u { loop { poll X blocking; } }",
            f"assert.a{value}",
        )
        for value in (1, 2, 6)
    },
    "always, where nobody is left": (
        "bool f[t]; thread t[N] { f[self] = true; } thread u { await forall v in t: f[v]; assert a: false; }",
        "assert.a",
    ),
    "always, one by one": (
        "bool f[N]; thread t[i: N] { f[i] = false; } thread u { for v in 0..N - 1 { f[v] = true; } assert a: forall v in 0..N - 1: f[v]; }",
        "assert.a",
    ),
    "2, by a loop that ends early": (
        "bool f[N]; thread u { for v in 0..N - 1 { f[v] = true; if (exists w in 0..N - 1: !f[w]) { break; } }"
        " assert a: forall v in 0..N - 1: f[v]; } thread t[i: N] { await f[i]; }",
        "assert.a",
    ),
    "1, by one post too many": ("sem s max N = 1; thread t[N] { post s; }", "range"),
    "1, by one wait too many": (
        "sem s max N = 0; thread t[N] { post s; } thread u { for v in t { wait s; } wait s; } deadlock free;",
        "deadlock.global",
    ),
    "2, by two families that give one semaphore room": (
        "sem s max N + 1 = 0; thread t[N] { post s; } thread u[N] { post s; }",
        "range",
    ),
    "2, by another member": (
        "bool f[t]; thread t[N] { f[self] = true; assert a: forall v in t: v == self || !f[v]; }",
        "assert.a",
    ),
    "2, by a lock order": (
        "mutex m[N]; mutex L; thread t[i: N] { with m[i] { with L { skip; } } }"
        " thread u { with L { for v in 0..N - 1 { with m[v] { skip; } } } }"
        " deadlock free;",
        "deadlock.lock_order",
    ),
    "3, by a count": ("bool f[t]; thread t[N] { f[self] = true; } invariant a: (number of v in t: f[v]) <= 2;", "invariant.a"),
    "5, by a shared counter": ("0..4 k; thread t[N] { k = k + 1; }", "range"),
    "5, by a semaphore": ("sem s max 4 = 0; thread t[N] { post s; }", "range"),
    "3, by quantifiers": (
        "bool f[t]; thread t[N] { atomic { f[self] = true; assert a: forall v in t: forall w in t: v == w || v == self || w == self ||"
        " !f[v] || !f[w]; } }",
        "assert.a",
    ),
    "2, by a deadlock": (
        "event e; thread t[N] { wait e; } thread u { await exists v in t: finished(v); set e; } deadlock free;",
        "deadlock.global",
    ),
    "4, after many steps": (
        "0..3 n[N]; thread t[i: N] { atomic { if ((number of v in 0..N - 1: n[v] == 1) < 1) { n[i] = 1; } else if ("
        "(number of v in 0..N - 1: n[v] == 2) < 1) { n[i] = 2; } else { n[i] = 3; } } }"
        " invariant a: (number of v in 0..N - 1: n[v] == 3) < 2;",
        "invariant.a",
    ),
}


@pytest.mark.parametrize("way", [Counted, Untold])
@pytest.mark.parametrize("without", [(), ("merging",)])
@pytest.mark.parametrize("only", [None, (DEADLOCK_PARTIAL,)])
@pytest.mark.parametrize("goes_on", ["loop { skip; }", "f[i] = true; f[i] = false;"])
def test_who_goes_on_beside_a_deadlock_may_be_any_member(
    way: Way, without: tuple[str, ...], only: tuple[str, ...] | None, goes_on: str
) -> None:
    text = f"param N in 1..* = 9; event e; bool f[N]; thread t[i: N] {{ choose {{ {goes_on} }} or {{ wait e; }} }} deadlock free;"
    found = proved(program_of(text), 6, way, frozenset(without), only)
    assert found is None or DEADLOCK_PARTIAL not in found[1]
    assert DEADLOCK_PARTIAL in (violated(program_of(text), 2) or ())


@pytest.mark.parametrize(("text", "prop"), FROM_SOME_SIZE_ON.values(), ids=FROM_SOME_SIZE_ON)
def test_what_fails_from_some_size_on_is_not_proved(text: str, prop: str) -> None:
    assert findings(text)[prop].verdict is Verdict.UNDECIDED


# In each, everything holds for every size.
FOR_EVERY_SIZE = {
    "one by one": "bool f[N]; thread t[i: N] { await f[i]; } thread u { for v in 0..N - 1 { f[v] = true; }"
    " assert forall v in 0..N - 1: f[v]; } deadlock free;",
    "two of them": "sem s[N] max 1 = 0; mutex m[N]; thread t[i: N] { wait s[i]; with m[i] { skip; } }"
    " thread u { for v in 0..N - 1 { with m[v] { skip; } post s[v]; } for v in 0..N - 1 { join t[v]; } } deadlock free;",
    "a semaphore for all": "sem s max N = 0; thread t[N] { post s; } thread u { for v in 0..N - 1 { wait s; join t[v]; } } deadlock free;",
    "shares of a semaphore": "sem s max 2 * N + 1 = N + 1; thread t[N] { wait s; post s; post s; } deadlock free;",
    "a lock": "mutex L; bool busy; thread t[N] { loop { lock L; assert !busy; busy = true; busy = false; unlock L; } } deadlock free;",
    "readers": "rwlock R; bool x; thread t[N] { loop { rdlock R; assert !x; rdunlock R; } }"
    " thread u { wrlock R; x = true; x = false; wrunlock R; } deadlock free;",
    "the last one": "bool f[t]; mutex L; cond C; thread t[N] { with L { f[self] = true; broadcast C; } }"
    " thread u { with L { while (exists v in t: !f[v]) { wait C with L; } assert forall v in t: f[v]; } } deadlock free;",
    "bottom halves": "context X; bool done[N]; bh b[i: N] on X { done[i] = true; } thread t[i: N] { schedule b[i]; await done[i]; }"
    " thread u { loop { idle: poll X blocking; } } deadlock free;",
    "kept below a bound": "sem s max 2 = 2; thread t[N] { loop { wait s; post s; } } deadlock free;",
}


@pytest.mark.parametrize("text", FOR_EVERY_SIZE.values(), ids=FOR_EVERY_SIZE)
def test_what_holds_for_every_size_is_proved(text: str) -> None:
    assert {finding.verdict for finding in findings(text).values()} == {Verdict.PROVED}


def test_what_a_quantifier_names_is_not_inside_of_it() -> None:
    """A thread that asks whether its like have finished, a bottom half whether others are pending."""
    text = (
        "context X; bool f[N]; bh b[i: N] on X { f[i] = true; assert a: exists v in 0..N - 1: f[v] || pending(b[v]); }"
        " thread t[i: N] { schedule b[i]; await forall v in 0..N - 1: f[v] || finished(t[v]); }"
        " thread u { loop { idle: poll X blocking; } } deadlock free;"
    )
    assert {finding.verdict for finding in findings(text).values()} == {Verdict.PROVED}


def test_models_are_proved_for_every_size_or_not_at_all() -> None:
    for name, sizes in (
        ("savevm_locked", ("VCPUS",)),
        ("migration_thread_after", ("VCPUS",)),
        ("bugs/dirty_log_start_locked", ("VCPUS",)),
        ("savevm_unlocked", ("VCPUS",)),
        ("bugs/dirty_log_start_unlocked", ("VCPUS",)),
        ("multifd_sync_unlocked", ("VCPUS", "CHANNELS")),
        ("multifd_sync_locked", ("VCPUS", "CHANNELS")),
    ):
        program = load(str(MODELS / f"{name}.dsl"), dict.fromkeys(sizes, "16")).program
        assert program is not None
        events: list[Event] = []
        families.run(program, Options(safety(program)), events.append)
        left = {event.prop for event in events if isinstance(event, Finding) and event.verdict is not Verdict.PROVED}
        violated_ = {one.prop for one in program.expectations if one.verdict == "violated"}
        assert left >= violated_
        assert violated_ or not left


REFUSED = {
    "a ring": ("mutex L[N]; thread t[i: N] { lock L[(i + 1) % N]; unlock L[(i + 1) % N]; }", "N says more than how many there are"),
    "a loop and a count": (
        "bool f[N]; thread t[i: N] { f[i] = true; } thread u { for v in 0..N - 1 { f[v] = false; } }"
        " invariant a: (number of v in 0..N - 1: f[v]) >= 0;",
        "goes through them one by one",
    ),
    "one of them": ("bool f[t]; thread t[N] { f[self] = true; } thread u { f[t[0]] = false; }", "is told from the others"),
    "a number": ("bool f[t]; 0..9 k; thread t[N] { if (k == (number of v in t: f[v])) { f[self] = true; } }", "compare it with a constant"),
    "as many passes": (
        "0..9 k; bool f[N]; thread t[i: N] { f[i] = true; } thread u { for v in 0..N - 1 { k = k + 1; } }",
        "stands for none",
    ),
    "as many passes at once": (
        "0..9 k; bool f[N]; thread t[i: N] { f[i] = true; } thread u { atomic { for v in 0..N - 1 { k = k + 1; } } }",
        "stands for none",
    ),
    "as many values": (
        "bool f[N]; thread t[i: N] { f[i] = true; } thread u { assert a: (number of v in 0..N - 1: true) < 9; }",
        "stands for none",
    ),
    "a loop of counted ones": (
        "param K in 1..* = 9; bool f[N]; bool g[w]; sem G max 2 = 2; thread t[i: N] { await f[i]; }"
        " thread w[K] { wait G; for v in 0..N - 1 { f[v] = !f[v]; } g[self] = true; post G; } invariant a: (number of a in w: g[a]) <= 1;",
        "several members of a family at once",
    ),
    "a size": ("sem s max N * N = 0; thread t[N] { post s; }", "N says more than how many there are"),
    "a size and a count": (
        "sem s max N = 0; bool f[t]; thread t[N] { post s; } invariant a: (number of v in t: f[v]) < 1;",
        "one of them is told from two",
    ),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_where_members_cannot_be_counted_it_says_why(text: str, why: str) -> None:
    told = findings(text).values()
    assert {finding.verdict for finding in told} == {Verdict.UNDECIDED}
    assert all(why in finding.reason for finding in told)


def test_it_takes_part_where_there_are_many() -> None:
    program = load(str(MODELS / "savevm_locked.dsl"), {"VCPUS": "16"}).program
    assert contenders("auto", program) == (FAMILIES, RACING[0], LEMMAS, *RACING[1:])
    assert contenders("auto", program, depth=20) == RACING
    assert FAMILIES in contenders("auto", load(str(MODELS / "multifd_sync_unlocked.dsl"), {"CHANNELS": "16"}).program)
    assert contenders("auto", load(str(MODELS / "savevm_locked.dsl")).program) == RACING


def test_lemmas_take_part_where_there_are_many_threads() -> None:
    few, many = (load(str(MODELS / "classic/philosophers_ordered.dsl"), {"PHILOSOPHERS": count}).program for count in ("4", "5"))
    assert contenders("auto", few) == RACING
    assert contenders("auto", many) == (RACING[0], LEMMAS, *RACING[1:])


def test_a_program_that_is_not_what_its_text_says_is_not_read_again() -> None:
    program = load(str(MODELS / "savevm_locked.dsl"), {"VCPUS": "8"}).program
    assert program is not None
    names = ("invariant.one_poller",)
    request = Request(names, engine="families")
    assert prove(program, request).report.verdict is Verdict.PROVED
    changed = replace(program, recursion=program.recursion + 1)
    assert "is not what its text says" in prove(changed, request).report.properties[0].reason
    assert prove(changed, Request(names)).report.properties[0].engine != FAMILIES


# ---------------------------------------------------------------- the command

COUNTER = "protocol c;\nparam N in 1..* = 2;\nparam M in 1..8 = 2;\n0..{most} k;\nthread t[N] {{ k = k + 1; }}\nthread u[M] {{ skip; }}\n"
LOCK = "protocol l;\nparam N in 1..* = 2;\nmutex L;\nthread t[N] { with L { assert holds(L); } }\ndeadlock free;\n"


Prove: TypeAlias = Callable[..., tuple[int, Any]]


@pytest.fixture
def prove_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Prove:
    """Asks `formal prove` about a text, with definitions: the exit code, and the report."""

    def asked(text: str, *defines: str) -> tuple[int, Any]:
        path = tmp_path / "model.dsl"
        path.write_text(text)
        code = main(["prove", str(path), *(word for define in defines for word in ("-D", define)), "--format", "json"])
        return code, json.loads(capsys.readouterr().out)

    return asked


TWO = LOCK.replace("mutex L;", "param M in 1..* = 2; mutex L; thread u[M] { lock L; unlock L; }")


def test_every_size(prove_text: Prove) -> None:
    code, report = prove_text(LOCK, "N=1..*")
    assert code == Exit.OK
    assert report["parameters"] == {"N": "1..*"}
    assert {result["verdict"] for result in report["properties"]} == {"proved"}
    assert "for every N >= 2: " in report["properties"][0]["reason"]
    assert report["properties"][0]["reason"].endswith("; N = 1: each by itself")


def test_every_size_of_two_families(prove_text: Prove) -> None:
    code, report = prove_text(TWO, "N=1..*", "M=1..*")
    assert code == Exit.OK
    assert report["parameters"] == {"N": "1..*", "M": "1..*"}
    assert report["properties"][0]["reason"].endswith("; N = 1; M = 1: each by itself")


def test_every_size_where_members_have_to_be_counted(prove_text: Prove) -> None:
    told = "".join(f"invariant forall v in {t}: forall w in {t}: v == w || !holds(v, L) || !holds(w, L);\n" for t in "tu")
    code, report = prove_text(TWO + told, "N=4..*", "M=5..*")
    assert code == Exit.OK
    assert report["parameters"] == {"N": "4..*", "M": "5..*"}
    assert report["properties"][0]["reason"].endswith("; N = 4 to 5; M = 5: each by itself")


def test_liveness_is_asked_of_few_sizes_and_is_in_nobodys_way(prove_text: Prove) -> None:
    apart = "invariant forall v in t: forall w in t: v == w || !holds(v, L) || !holds(w, L);\n"
    code, report = prove_text(LOCK + apart + "liveness ends: eventually forall v in t: finished(v);\n", "N=1..*")
    assert code == Exit.UNDECIDED
    results = {result["name"]: result for result in report["properties"]}
    ends = results.pop("liveness.ends")
    assert (ends["verdict"], ends["reason"]) == ("undecided", "families: liveness is about single members; N = 1 to 3: proved")
    assert {result["verdict"] for result in results.values()} == {"proved"}
    assert results["relock"]["reason"].endswith("; N = 1 to 5: each by itself")


def test_a_violation_is_one_of_some_size(prove_text: Prove) -> None:
    code, report = prove_text(COUNTER.format(most=2), "N=1..*")
    assert code == Exit.VIOLATED
    assert report["parameters"]["N"] == 3
    assert [len(result["witness"]["steps"]) for result in report["properties"] if result["verdict"] == "violated"] == [3]


def test_a_violation_that_may_be_none_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "counter.dsl"
    path.write_text(COUNTER.format(most=9))
    assert main(["prove", str(path), "-D", "N=1..*"]) == Exit.UNDECIDED
    told = " ".join(capsys.readouterr().out.split())
    assert "which may be no execution; N = 1 to 3: proved" in told


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("-D", "M=1..*"), "`param M in 1..*`"),
        (("-D", "N=0..*"), "N takes 1..*"),
        (("-D", "N=1..*", "--depth", "3"), "--depth goes without"),
        (("-D", "N=1..*", "--engine", "bmc"), "--engine bmc goes without"),
        (("-D", "N=1..*", "-D", "M=1..2"), "a sweep goes without"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    given: tuple[str, ...], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "counter.dsl"
    path.write_text(COUNTER.format(most=2))
    assert main(["prove", str(path), *given]) == Exit.USAGE
    assert why in capsys.readouterr().err.replace("`N`", "N")
