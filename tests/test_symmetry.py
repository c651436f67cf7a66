"""Symmetry: what a search leaves out because it is like something else changes no answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from differential import findings, outcome, safety
from test_interp import program_of

from formal.engines import explicit
from formal.engines.alike import first_movers
from formal.engines.exploration import Exploration
from formal.engines.protocol import Event, Finding, Options, Statistics
from formal.interp import Machine, State, Symmetry
from formal.interp.sorts import Sort, sorts
from formal.program import DEADLOCK_PARTIAL, Program
from formal.verdict import Verdict

# ---------------------------------------------------------------- models


class Family:
    """A random model of a family of threads, with an array for each, and somebody who goes through them."""

    def __init__(self, seed: int) -> None:
        self._pick = random.Random(seed)
        self._depth = 0

    def text(self) -> str:
        size = self._pick.choice((2, 3, 3))
        own = "".join(f"    {self.statement('i')}\n" for _ in range(self._pick.randint(1, 3)))
        body = self._pick.choice(("{}", "loop {{\n{} }}")).format(own)
        lines = [
            "mutex L;",
            f"mutex M[{size}];",
            f"sem S[{size}] max 1 = {self._pick.choice((0, 0, 1))};",
            f"0..2 n[{size}];",
            "bool f[t];",
            "bool x;",
            "cond C;",
            "context X;",
            "thread_local bool p;",
            f"bh b[i: {size}] on X {{ {self.plain('i')} }}",
            f"thread t[i: {size}] {{ {body} }}",
            f"thread u {{ {self.around(size)} {self.around(size)} }}",
            "proc q(ref mutex m, ref 0..2 k) { with m { k = 1; skip; } }",
            "deadlock free;",
            f"invariant a: {self.condition(size)};",
            f"invariant b: {self.condition(size)};",
        ]
        return "\n".join(lines)

    def statement(self, i: str) -> str:
        pick = self._pick.randrange(7)
        if pick == 0:
            return f"with L {{ {self.plain(i)} {self.plain(i)} }}"
        if pick == 1:
            return f"if ({self.test(i)}) {{ {self.plain(i)} }} else {{ {self.plain(i)} }}"
        if pick == 2:
            return f"choose {{ {self.plain(i)} }} or {{ {self.plain(i)} }}"
        if pick == 3:
            return f"atomic {{ {self.some(('x = !x;', f'n[{i}] = 2;'))} {self.plain(i)} }}".replace("poll X;", "skip;").replace(
                "wait C with L;", "skip;"
            )
        return self.plain(i)

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
                "signal C;",
                "with L { wait C with L; }",
                f"q(M[{i}], n[{i}]);",
                f"assert n[{i}] != 2 || !x;",
            )
        )

    def around(self, size: int) -> str:
        """What somebody does with all of them, or with none."""
        last = self._pick.choice((size - 1, size - 1, size - 1, size - 2, 0))
        return self.some(
            (
                f"for v in 0..{last} {{ {self.plain('v')} }}",
                f"for v in 0..{last} {{ {self.plain('v')} {self.plain('v')} }}",
                f"for v in 0..{size - 1} {{ if ({self.test('v')}) {{ break; }} {self.plain('v')} }}",
                "for v in t { await v.p || f[v]; f[v] = false; }",
                f"atomic {{ for v in 0..{size - 1} {{ if (n[v] == 0) {{ n[v] = 1; schedule b[v]; }} }} }}",
                f"atomic {{ for v in 0..{size - 1} {{ if (n[v] == 0) {{ x = !x; n[v] = 1; }} }} }}",
                self.plain("0"),
                f"{self.plain(str(size - 1))} {self.plain('0')}",
                "x = true;",
                "with L { x = !x; }",
                "loop { poll X blocking; }",
                f"await forall v in 0..{size - 1}: n[v] != 0; x = !x;",
            )
        )

    def test(self, i: str) -> str:
        return self.some((f"n[{i}] == 1", "x", f"count(S[{i}]) > 0", f"pending(b[{i}])", "p", f"owner(M[{i}]) == none", "owner(L) == self"))

    def condition(self, size: int) -> str:
        last = size - 1
        return self.some(
            (
                f"forall v in 0..{last}: n[v] != 2 || x",
                f"(number of v in 0..{last}: n[v] == 1) < {self._pick.randint(1, size)}",
                "forall v in t: f[v] implies !v.p",
                "forall v in thread: !holds(v, L) || x",
                f"exists v in 0..{last}: n[v] == 0 || pending(b[v])",
                "n[0] != 1 || x",
                f"forall v in 0..{last}: forall w in 0..{last}: v != w implies !(n[v] == 2 && n[w] == 2)",
                "!x || owner(L) != u",
                f"forall v in 0..{last}: owner(M[v]) == none || owner(M[v]) == t[v]",
                f"forall v in 1..{last}: n[v] != 2",
                f"forall v in 0..{last - 1}: n[v] <= n[v + 1]",
            )
        )

    def some(self, texts: tuple[str, ...]) -> str:
        return self._pick.choice(texts)


def symmetry_of(program: Program, machine: Machine) -> Symmetry:
    return machine.symmetry(p.condition for p in program.properties if p.condition is not None)


def explored(program: Program, *, fold: bool, merge: bool = False, most: int = 20_000) -> tuple[Exploration, set[str]] | None:
    """Everything that can be reached, and what is violated; None if that is too much."""
    machine = Machine(program)
    invariants = {p.name: p.condition for p in program.properties if p.kind == "invariant" and p.condition is not None}
    tests = {name: machine.condition(condition) for name, condition in invariants.items()}
    deadlocks = [p.name for p in program.properties if p.kind == "deadlock"]
    symmetry = symmetry_of(program, machine) if fold else None
    merging = machine.merging(invariants.values(), symmetry) if merge else None
    exploration = Exploration(machine, None, merging, symmetry)
    found: set[str] = set()

    def visit(_number: int, state: State, waiting: list[int], moving: list[int]) -> None:
        found.update(name for name, holds in tests.items() if not holds(state))
        found.update(machine.deadlocked(state, waiting, moving, deadlocks) if waiting else ())

    while not exploration.exhausted:
        exploration.expand(visit, lambda _number, _thread, prop: found.add(prop))
        if len(exploration.states) > most:
            return None
    return exploration, found


def compare(seed: int) -> tuple[int, int, bool] | None:
    """As `compared`, of a random model."""
    return compared(Family(seed).text(), seed)


def compared(text: str, seed: int = -1) -> tuple[int, int, bool] | None:
    """States without and with symmetry, and whether that is exact; None where there is nothing to compare."""
    program = program_of(text)
    plain = explored(program, fold=False, most=3000)
    if plain is None:
        return None
    symmetry = symmetry_of(program, plain[0].machine)
    if not symmetry:
        return None
    for merge in (False, True):
        folded = explored(program, fold=True, merge=merge)
        assert folded is not None
        missing = plain[1] - folded[1] - ({DEADLOCK_PARTIAL} if merge else set())
        assert not missing or (merge and "range" in folded[1]), f"seed {seed}: {missing} is lost"
        if symmetry.exact and not (merge and "range" in folded[1]):
            assert folded[1] <= plain[1] | {"deadlock.global"}, f"seed {seed}: {folded[1] - plain[1]} is new"
        if symmetry.exact and not merge:
            assert len(folded[0].starts) == len(plain[0].starts), f"seed {seed}"
        if not merge:
            size = len(folded[0].states)
    return len(plain[0].states), size, symmetry.exact


# ---------------------------------------------------------------- what makes a sort


def found(text: str) -> tuple[Sort, ...]:
    program = program_of(text)
    return sorts(program, [p.condition for p in program.properties if p.condition is not None])


SORTS = {
    "thread t[3] { skip; }": (0, 0, 0),
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; }": (0, 0, 0),
    "0..2 n[3] = { 0, 1, 1 }; thread t[i: 3] { n[i] = 1; }": (0, 1, 1),
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; } thread u { n[2] = 0; }": (0, 0, 1),
    "0..3 n[3]; thread t[i: 3] { n[i] = i; }": None,
    "mutex L[3]; thread t[i: 3] { lock L[(i + 1) % 3]; unlock L[(i + 1) % 3]; with L[i] { skip; } }": None,
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; } thread u { for v in 0..1 { n[v] = 0; } }": (0, 0, 1),
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; } invariant a: forall v in 0..1: n[v] < n[v + 1];": None,
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; } invariant a: exists v in 0..2: n[v] == 0 || 4 / n[v] > 1;": None,
    "bool x; 0..2 n[3]; thread t[i: 3] { n[i] = 1; } thread u { atomic { for v in 0..2 { x = n[v] == 1; } } }": None,
    "sem S[3] max 2; thread t[i: 3] { wait S[i]; } invariant a: forall v in 0..2: count(S[v]) < 2;": (0, 0, 0),
    "context X home t[1]; thread t[3] { skip; }": (0, 1, 0),
    "thread t[3] { skip; } thread u { spawn t[1]; }": (0, 1, 0),
}


@pytest.mark.parametrize("text", list(SORTS))
def test_elements_are_told_apart_where_the_text_does(text: str) -> None:
    expected = SORTS[text]
    assert [sort.colours for sort in found(text)] == ([] if expected is None else [expected])


def test_symmetry_can_be_left_out_and_is_told() -> None:
    program = program_of("0..5 n; thread t[5] { n = n + 1; skip; skip; skip; }")
    for without, named in ((frozenset[str](), True), (frozenset({"symmetry"}), False)):
        events: list[Event] = []
        explicit.run(program, Options(safety(program), without=without), events.append)
        (figures,) = [event.figures for event in events if isinstance(event, Statistics)]
        assert ("folded states" in figures) == named
        assert {event.verdict for event in events if isinstance(event, Finding)} == {Verdict.PROVED}


# ---------------------------------------------------------------- no answer changes


@pytest.mark.parametrize("seed", range(40))
def test_folding_changes_no_answer(seed: int) -> None:
    compare(seed)


PICK = "0..2 n[3]; thread t[i: 3] { choose { n[i] = 1; } or { n[i] = 2; } } bool seen; bool bad;"
END = "await forall v in 0..2: n[v] != 0;"
# In each, something can be told from the order of the elements, or from who is who.
TOLD_APART = {
    "a loop meets 1 before 2": f"""{PICK} thread u {{ {END} for v in 0..2 {{
        if (n[v] == 1) {{ seen = true; }} else {{ assert !seen; }} }} }}""",
    "a loop meets 2 before 1": f"""{PICK} thread u {{ {END} for v in 0..2 {{
        if (n[v] == 2) {{ seen = true; }} else {{ assert !seen; }} }} }}""",
    "an atomic loop, 1 before 2": f"""{PICK} thread u {{ {END} atomic {{ for v in 0..2 {{
        if (n[v] == 1) {{ seen = true; }} else {{ bad = bad || seen; }} }} }} assert !bad; }}""",
    "an atomic loop, 2 before 1": f"""{PICK} thread u {{ {END} atomic {{ for v in 0..2 {{
        if (n[v] == 2) {{ seen = true; }} else {{ bad = bad || seen; }} }} }} assert !bad; }}""",
    "an undefined end, behind 1": f"{PICK} thread u {{ {END} assert exists v in 0..2: n[v] == 1 || 1 / (2 - n[v]) == 5; }}",
    "an undefined end, behind 2": f"{PICK} thread u {{ {END} assert exists v in 0..2: n[v] == 2 || 1 / (1 - n[v]) == 5; }}",
    "a loop in progress": f"""{PICK} thread u {{ {END} for v in 0..2 {{ n[v] = 0; }} }}
        invariant a: n[0] != 0 implies n[1] != 0 || !bad;""",
    "readers": """rwlock R; 0..2 n[3]; event E;
        thread t[i: 3] { choose { n[i] = 1; } or { n[i] = 2; } rdlock R; skip; rdunlock R; }""",
    "sleepers": """mutex L; cond C; 0..2 n[3]; deadlock free;
        thread t[i: 3] { choose { n[i] = 1; } or { n[i] = 2; } lock L; wait C with L; assert n[i] == 1; unlock L; }
        thread u { with L { signal C; } }""",
    "owners": "mutex M[3]; 0..2 n[3]; thread t[i: 3] { choose { n[i] = 1; } or { n[i] = 2; } lock M[i]; unlock M[i]; }",
    "a kept index": "0..3 k = 3; thread t[i: 3] { atomic { if (k == 3) { k = i; } else { assert k != i; } } }",
    "a neighbour": "0..2 n[3]; thread t[i: 3] { n[i] = 1; assert n[(i + 1) % 3] == 0 || n[(i + 2) % 3] == 0; }",
    "bottom halves": """context X; 0..2 n[3]; bh b[i: 3] on X { n[i] = 2; assert pending(X); }
        thread t[i: 3] { n[i] = 1; schedule b[i]; poll X; }""",
    "arguments": """mutex M[3]; 0..2 n[3]; proc p(ref mutex m, ref 0..2 k) { with m { k = 1; skip; k = 2; } }
        thread t[i: 3] { p(M[i], n[i]); } thread u { p(M[0], n[0]); }""",
    "late threads": "0..2 n[3]; thread late[i: 3] { n[i] = 1; assert n[i] == 1; } thread u { for v in 0..2 { spawn late[v]; n[v] = 2; } }",
}


@pytest.mark.parametrize("text", TOLD_APART.values(), ids=TOLD_APART)
def test_what_tells_elements_apart_is_found_out(text: str) -> None:
    compared(text)


# ---------------------------------------------------------------- who moves first

FIRST_MOVERS = {
    "thread t[4] { skip; }": ((0, 1, 2, 3),),
    "thread t[2] { skip; } thread u[3] { skip; }": ((0, 1), (2, 3, 4)),
    "0..2 n[3] = { 1, 0, 1 }; thread t[i: 3] { n[i] = 1; }": ((0, 2),),
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; } thread u { for v in 0..2 { n[v] = 0; } }": (),
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; } thread u { for v in 0..0 { n[v] = 0; } }": (),
    "0..2 n[3]; thread t[i: 3] { n[i] = 1; } thread u { n[0] = 0; }": ((1, 2),),
    "bool f; thread t[3] { f = true; } liveness a: eventually f;": (),
}


@pytest.mark.parametrize("text", list(FIRST_MOVERS))
def test_alike_threads_move_first_in_the_order_of_their_numbers(text: str) -> None:
    program = program_of(text)
    options = Options(tuple(prop.name for prop in program.properties))
    assert first_movers(program, program.properties, options) == FIRST_MOVERS[text]
    assert first_movers(program, program.properties, replace(options, without=frozenset({"symmetry"}))) == ()


def told_by_bmc(text: str, depth: int, without: frozenset[str]) -> dict[str, tuple[Verdict, int | None, int | None]]:
    """Verdict, steps and context switches by property."""
    program = program_of(text)
    machine = Machine(program)
    found = findings("bmc", program, safety(program), depth, without).values()
    outcomes = {finding.prop: outcome(program, machine, "bmc", finding) for finding in found}
    return {name: (told.verdict, told.depth, told.switches) for name, told in outcomes.items()}


def test_the_order_of_first_moves_changes_no_answer() -> None:
    narrower = violated = 0
    for text in (*TOLD_APART.values(), *(Family(seed).text() for seed in range(30))):
        program = program_of(text)
        if not first_movers(program, program.properties, Options(safety(program))):
            continue
        narrower += 1
        plain = told_by_bmc(text, 7, frozenset({"symmetry"}))
        assert told_by_bmc(text, 7, frozenset()) == plain, text
        violated += any(verdict is Verdict.VIOLATED for verdict, _, _ in plain.values())
    assert narrower > 15
    assert violated > 10


# ---------------------------------------------------------------- who does the same


def texts() -> Iterator[str]:
    """Models of several kinds: generated ones, and those above."""
    yield from TOLD_APART.values()
    yield from (Family(seed).text() for seed in range(20))


def test_twins_exchanged_leave_the_state_as_it_is() -> None:
    met = 0
    for text in texts():
        found = explored(program_of(text), fold=False, most=400)
        if found is None:
            continue
        exploration = found[0]
        for form in symmetry_of(exploration.machine.program, exploration.machine).forms:
            element = form.images.element
            for state in exploration.states:
                for thread, other in form.twins(state).items():
                    to = list(range(form.sort.size))
                    to[element[thread]], to[element[other]] = element[other], element[thread]
                    assert form.permuted(state, to) == state, text
                    met += 1
    assert met > 300


def test_of_two_that_each_have_the_lock_of_the_other_none_is_a_twin() -> None:
    program = program_of("mutex M[2]; event E; thread t[i: 2] { choose { lock M[i]; } or { with M[i] { wait E; } } }")
    machine = Machine(program)
    (form,) = symmetry_of(program, machine).forms
    own, foreign = list(machine.initial()), list(machine.initial())
    own[4:6], foreign[4:6] = (0, 1), (1, 0)
    assert form.twins(machine.initial()) == form.twins(tuple(own)) == {1: 0}
    assert form.twins(tuple(foreign)) == {}


def test_what_a_thread_may_still_do_is_a_renaming_of_what_another_may() -> None:
    renamed = 0
    for text in texts():
        found = explored(program_of(text), fold=False, most=400)
        if found is None:
            continue
        machine, states = found[0].machine, found[0].states
        for shut in (frozenset[int](), *(frozenset((slot,)) for slot in range(2 * found[0].threads, 2 * found[0].threads + 2))):
            touching = (machine.touching(shut), machine.touching(shut, alike=False))
            for shared, own in ((machine.reach(), machine.reach(alike=False)), touching):
                for thread, control in sorted({(thread, state[thread]) for state in states for thread in range(found[0].threads)}):
                    assert shared.may(thread, control) == own.may(thread, control), text
                    renamed += 1
    assert renamed > 1000
