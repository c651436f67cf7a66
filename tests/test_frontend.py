"""What the front end makes of well-formed models: the typed program, its names, numbers and bounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formal import program as p
from formal.frontend import load, load_text
from formal.frontend.folding import hull, truncating
from formal.frontend.walking import expressions_of, walk

HEAD = "protocol t;\nmutex m;\nbool b;\n0..9 n;\n"


def program(text: str, **defines: str) -> p.Program:
    loaded = load_text(text, defines=defines)
    assert loaded.program is not None, "\n".join(diagnostic.render() for diagnostic in loaded.diagnostics)
    return loaded.program


def body(text: str, declarations: str = "", **defines: str) -> list[p.Stmt]:
    """The statements, at any depth, of a thread that does this."""
    found = program(f"{HEAD}{declarations}\nthread a {{ {text} lock m; unlock m; }}\n", **defines)
    return list(walk(found.threads[0].decl.body))[:-2]


def names(text: str, **defines: str) -> list[str]:
    return [prop.name for prop in program(text, **defines).properties]


# ---------------------------------------------------------------- numbers and names


def test_threads_are_numbered_in_textual_order_with_imports_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.dsl").write_text('protocol a;\nthread one { lock m; unlock m; }\nimport "b.dsl";\nthread last { skip; }\nconst N = 2;\n')
    (tmp_path / "b.dsl").write_text("mutex m;\nthread w[N] { skip; }\n")
    found = load(str(tmp_path / "a.dsl")).program
    assert found is not None
    assert [thread.name for thread in found.threads] == ["one", "w[0]", "w[1]", "last"]
    assert found.families == {"one": (0,), "w": (1, 2), "last": (3,)}
    assert [thread.index for thread in found.threads] == [None, 0, 1, None]


def test_declarations_may_come_in_any_order() -> None:
    lines = [
        "protocol t;",
        "param N in 1..LIMIT = SMALL;",
        "const LIMIT = 2 * SMALL;",
        "const SMALL = 2;",
        "enum phase { ONE, TWO }",
        "const FIRST = ONE;",
        "phase now = FIRST;",
        "bool stop[w];",
        "thread w[N] { lock m; stop[self] = true; now = TWO; schedule job; unlock m; }",
        "thread home_thread { poll x; help(m); invoke h; }",
        "context x home home_thread when holds(m);",
        "bh job on x { skip; }",
        "mutex m;",
        "hook h;",
        "callback f for h requires !holds(m) { skip; }",
        "proc help(ref mutex l) { with l { skip; } }",
        "invariant all: forall v in w: stop[v] implies now == TWO;",
    ]
    wanted = sorted(names("\n".join(lines)))
    for seed in range(20):
        shuffled = random.Random(seed).sample(lines, len(lines))
        assert sorted(names("\n".join(shuffled))) == wanted


def test_properties_come_in_the_order_of_the_report() -> None:
    found = names(
        HEAD + "deadlock free;\ninvariant late: true || b;\nliveness eventually b;\ninvariant !b || b;\n"
        "proc q() requires b requires n > 0 ensures b { assert b; assert named: b; }\n"
        "thread a { lock m; q(); n = n + 1; assert b; unlock m; }\n"
    )
    assert found == [
        *("relock", "not_owner", "range"),
        *("requires.q", "requires.q.2", "ensures.q", "assert.q.1", "assert.named", "assert.a.1"),
        *("invariant.late", "invariant.1"),
        *("deadlock.global", "deadlock.partial", "deadlock.lock_order", "liveness.1"),
    ]


def test_what_is_disabled_is_listed_as_an_assumption() -> None:
    found = program(HEAD + "disable relock, deadlock.global;\ndeadlock free;\nthread a { lock m; unlock m; assume b; }\n")
    assert "relock" not in {prop.name for prop in found.properties}
    assert found.disabled == {"relock", "deadlock.global"}
    assert found.assumptions == (
        "assume b (<text>:7)",
        "`deadlock.global` is disabled: it is not looked at",
        "`relock` is disabled: executions end where it would be violated",
    )


def test_who_is_strongly_fair_is_listed_as_an_assumption() -> None:
    threads = "thread a[3] { skip; }\nthread c[2] { skip; }\nthread d { skip; }\n"
    found = program(HEAD + threads + "strong fair a;\nstrong fair c[1];\nstrong fair d;\nliveness eventually finished(d);\n")
    assert found.assumptions == (
        "liveness: weak fairness of every thread",
        "liveness: strong fairness of every a",
        "liveness: strong fairness of c[1]",
        "liveness: strong fairness of d",
    )


def test_fairness_is_no_assumption_where_no_liveness_is_looked_at() -> None:
    text = HEAD + "thread a { lock m; unlock m; }\nliveness ends: eventually finished(a);\nstrong fair a;\n"
    found = program(text + "disable liveness.ends;\n")
    assert found.assumptions == ("`liveness.ends` is disabled: it is not looked at",)


def test_the_digest_speaks_of_texts_and_parameters_only(tmp_path: Path) -> None:
    text = HEAD + "param N in 1..3 = 2;\nthread a[N] { lock m; unlock m; }\n"
    (tmp_path / "other.dsl").write_text(text)
    elsewhere = load(str(tmp_path / "other.dsl")).program
    assert elsewhere is not None
    assert program(text).digest == elsewhere.digest == program(text, N="2").digest
    assert len({program(text).digest, program(text, N="3").digest, program(text + "// more").digest}) == 3


def test_a_keyword_is_never_a_name_and_never_part_of_one() -> None:
    for text in ("mutex lock;", "thread a { lockm; }", "bool thread;", "const for = 1;"):
        loaded = load_text(HEAD + text)
        assert loaded.program is None
        assert {d.code.code for d in loaded.diagnostics} <= {"E0201", "E0408"}
    assert body("lockable = true;", "bool lockable;")


# ---------------------------------------------------------------- what is decided before the run


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("if (N > 1) { skip; } else { b = true; }", ["Block", "Skip"]),
        ("if (N > 5) { skip; } else { b = true; }", ["Block", "Assign"]),
        ("if (N > 5) { skip; }", ["Block"]),
        ("while (N > 5) { skip; }", []),
        ("while (true) { lock m; unlock m; break; }", ["Loop", "Lock", "Unlock", "Break"]),
        ("for i in 1..N - 2 { skip; }", []),
        ("for i in 1..N { n = i; }", ["For", "Assign"]),
        ("if (b && N > 5) { skip; }", ["If", "Skip"]),
    ],
)
def test_constants_decide_before_the_run(text: str, kinds: list[str]) -> None:
    assert [type(statement).__name__ for statement in body(text, "param N in 1..4 = 2;")] == kinds


def test_what_constants_rule_out_leaves_no_trace() -> None:
    text = (
        HEAD + "param ON in bool = false;\ncontext x;\nbh y on x { skip; }\n"
        "hook h;\ncallback f for h if ON requires b { assert in_f: b; }\n"
        "thread a { lock m; unlock m; if (ON) { poll x; assume b; assert here: b; place: skip; } assert b; invoke h; schedule y; }\n"
        "invariant !at(a, place);\nexpect proved;\ndisable assert.here;\n"
    )
    off, on = program(text), program(text, ON="true")
    assert [prop.name for prop in off.properties] == ["relock", "not_owner", "assert.a.1", "invariant.1"]
    assert off.assumptions == ("`assert.here` is disabled: executions end where it would be violated",)
    assert off.hooks == {"h": ()}
    assert "nesting" in {prop.name for prop in on.properties}
    assert {"requires.f", "assert.in_f"} <= {prop.name for prop in on.properties}


def test_constants_are_folded_and_their_names_are_kept_in_the_text() -> None:
    (statement,) = body("await n >= LIMIT;", "const LIMIT = 3 * 2 - 1;")
    assert isinstance(statement, p.Await)
    assert statement.info.text == "await n >= LIMIT"
    assert isinstance(statement.condition, p.Binary)
    assert isinstance(statement.condition.right, p.Literal)
    assert statement.condition.right.value == 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lock   m ; unlock m;", "lock m"),
        ("if (b) { skip; }", "if (b)"),
        ('while (b  &&\n n > 0) @ "f.c:g" { skip; }', "while (b && n > 0)"),
        ("aio_wait_while x (n > 0);", "aio_wait_while x (n > 0)"),
        ('assert b /* why */ "as // it is";', 'assert b "as // it is"'),
        ("p(); ", "p()"),
        ('b = true @ "migration/savevm.c:f";', "b = true"),
        ("loop { break; }", "loop"),
        ("choose { skip; } or { b = true; }", "choose"),
        ("0..3 local = 1; n = local;", "0..3 local = 1"),
        ("atomic { b = true; n = 1; }", "atomic { b = true; n = 1; }"),
    ],
)
def test_statements_are_shown_as_they_were_written(text: str, shown: str) -> None:
    statement = body(text, "context x; bh y on x { skip; } proc p() { skip; }")[0]
    assert not isinstance(statement, p.Block)
    assert statement.info.text == shown


def test_an_anchor_is_the_statements_own_or_its_bodys() -> None:
    found = program(HEAD + 'thread a @ "one.c:f" { lock m; unlock m @ "two.c:g"; }\n')
    assert [s.info.c_source for s in walk(found.threads[0].decl.body) if not isinstance(s, p.Block)] == ["one.c:f", "two.c:g"]


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("here: skip;", ["Skip here"]),
        ("here: lock m; unlock m;", ["Lock here", "Unlock"]),
        ("here: loop { skip; break; }", ["Skip here", "Loop", "Skip", "Break"]),
        ("here: { skip; }", ["Skip here", "Block", "Skip"]),
        ("here: if (true) { b = true; }", ["Skip here", "Block", "Assign"]),
        ("here: while (false) { skip; }", ["Skip here"]),
        ("here: plain();", ["Skip here", "Call"]),
        ("here: by_value(1);", ["Call here"]),
        ("here: again();", ["Call here"]),
        ("here: by_ref(chan[0]);", ["Skip here", "Call"]),
        ("here: by_ref(chan[n]);", ["Call here"]),
        ("here: b = answer();", ["Skip here", "Call"]),
        ("here: invoke h;", ["Skip here", "Invoke"]),
        ("here: invoke any h;", ["Invoke here"]),
        ("idle: await b; idle: await !b;", ["Await idle", "Await idle"]),
    ],
)
def test_a_label_stands_on_a_step(text: str, shape: list[str]) -> None:
    declarations = (
        "mutex chan[2]; hook h; callback f for h { skip; } proc plain() { skip; } proc by_value(0..3 i) { n = i; }\n"
        "proc again() { if (b) { again(); } } proc by_ref(ref mutex l) { with l { skip; } } proc answer() returns bool { return b; }"
    )
    found = [
        f"{type(s).__name__} {s.info.label}" if not isinstance(s, p.Block) and s.info.label else type(s).__name__
        for s in body(text, declarations)
    ]
    assert found == shape


def test_labels_are_found_where_they_are_meant() -> None:
    found = program(
        HEAD + "thread w[2] { lock m; wait_here: await b; unlock m; only: skip; }\nthread v { wait_here: skip; b = at(self, wait_here); }\n"
        "invariant at(w[0], wait_here) || at(v, wait_here) || at(w[1], v.wait_here) || at(v, only);\n"
        "invariant exists t in w: at(t, wait_here);\n"
    )
    of = {
        (s.info.body, s.info.label): s.info.uid
        for thread in (found.threads[0], found.threads[2])
        for s in walk(thread.decl.body)
        if not isinstance(s, p.Block) and s.info.label
    }
    targets = [list(at.targets) for prop in found.properties if prop.condition is not None for at in ats(prop.condition)]
    w, v, only = of["w", "wait_here"], of["v", "wait_here"], of["w", "only"]
    assert targets == [[w], [v], [v], [only], [w]]
    own = [at for s in walk(found.threads[2].decl.body) if isinstance(s, p.Assign) for at in ats(s.value)]
    assert [list(at.targets) for at in own] == [[v]]


def ats(expr: p.Expr) -> list[p.At]:
    found = [expr] if isinstance(expr, p.At) else []
    return found + [at for inner in expressions_of(expr) for at in ats(inner)]


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("bh a on x { skip; }", 1),
        ("bh a on x { poll x; }", 1),
        ("bh a[3] on x { poll x; }", 3),
        ("oneshot bh a on x max 5 { poll x; }", 5),
        ("oneshot bh a on x max 50 { poll x; }", 32),
        ("bh a on x { poll y; } bh c on y { skip; }", 2),
        ("bh a on x { poll y; } bh c on y { poll z; } bh d on z { skip; }", 3),
        ("bh a on x { poll y; } oneshot bh c on y max 3 { poll x; }", 4),
        ("bh a on x { p(); } proc p() { aio_wait_while y (b); } bh c on y { skip; }", 2),
        ("bh a on x { invoke h; } hook h; callback f for h { poll y; } bh c on y { skip; }", 2),
        ("bh a on x { q(y); } proc q(ref context k) { poll k; } bh c on y { skip; }", 2),
        ("nesting 7; bh a on x { poll x; }", 7),
    ],
)
def test_bottom_halves_nest_as_deep_as_the_model_needs(text: str, bound: int) -> None:
    found = program(HEAD + "context x;\ncontext y;\ncontext z;\n" + text + "\nthread t { lock m; poll x; unlock m; }\n")
    assert found.bh_nesting == bound


def test_recursion_is_found_through_procedures_and_hooks() -> None:
    found = program(
        HEAD + "hook h;\nproc one() { two(); }\nproc two() { if (b) { invoke h; } }\ncallback f for h { one(); }\nproc three() { one(); }\n"
        "thread a { lock m; unlock m; three(); }\n"
    )
    assert {name for name, proc in found.procs.items() if proc.recursive} == {"one", "two", "f"}
    assert found.recursion == 4
    assert "at most 4 activations of a recursive procedure (the default), checked by `nesting`" in found.assumptions


@pytest.mark.parametrize(
    ("text", "spawned"),
    [
        ("spawn w[1];", {2}),
        ("spawn w[n];", {1, 2, 3}),
        ("start(w[2]);", {3}),
        ("start(single);", {4}),
        ("join single;", set()),
        ("if (false) { spawn single; }", set()),
    ],
)
def test_targets_of_spawn_are_found_through_parameters(text: str, spawned: set[int]) -> None:
    found = program(
        f"{HEAD}thread a {{ lock m; unlock m; {text} }}\nthread w[3] {{ skip; }}\nthread single {{ skip; }}\n"
        "proc start(ref thread t) { again(t); }\nproc again(ref thread t) { spawn t; }\n"
    )
    assert found.spawned == spawned


# ---------------------------------------------------------------- types of expressions


INTERVALS = st.tuples(st.integers(-30, 30), st.integers(0, 20)).map(lambda pair: p.IntType(pair[0], pair[0] + pair[1]))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(INTERVALS, INTERVALS, st.sampled_from("+-*/%"), st.data())
def test_an_interval_holds_every_value(left: p.IntType, right: p.IntType, op: str, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(left.lo, left.hi)), data.draw(st.integers(right.lo, right.hi))
    if op in "/%" and b == 0:
        return
    quotient, remainder = truncating(a, b) if b else (0, 0)
    value = {"+": a + b, "-": a - b, "*": a * b, "/": quotient, "%": remainder}[op]
    interval = hull(op, left, right)
    assert interval.lo <= value <= interval.hi


@given(st.integers(-1000, 1000), st.integers(-1000, 1000).filter(bool))
def test_division_is_that_of_c(a: int, b: int) -> None:
    quotient, remainder = truncating(a, b)
    assert quotient == int(a / b)
    assert remainder == a - b * quotient
    assert remainder == 0 or (remainder < 0) == (a < 0)


def test_every_shipped_model_loads() -> None:
    models = sorted((Path(__file__).parent.parent / "models").glob("*.dsl"))
    assert models
    for path in models:
        loaded = load(str(path))
        assert loaded.program is not None or "E0107" in {d.code.code for d in loaded.diagnostics}, path


def test_reading_takes_time_in_proportion_to_the_text() -> None:
    text = HEAD + "thread a { lock m; unlock m; " + "skip; " * 30_000 + "}\n"
    assert len(program(text).threads[0].decl.body.statements) == 30_002
