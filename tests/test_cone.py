"""Variables that nothing asked for depends on: leaving them out changes no answer, and no witness lacks them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from differential import findings, outcome, parsed, safety, size
from strategies import ModelText
from systems import SystemBuilder
from test_interp import program_of
from tools import Told
from weaves import Weave

from formal.interp import Machine
from formal.pipeline import Request, prove
from formal.program import Program
from formal.rewriting.cone import cone
from formal.verdict import Verdict

DEPTH = 7


def left_out(text: str, *asked: str) -> set[str]:
    return set(cone(program_of(text), asked).left_out)


def models(seed: int) -> Program:
    pick = random.Random(seed).randrange
    if seed % 3 == 0:
        return SystemBuilder(pick).program()
    return parsed(ModelText(pick).text() if seed % 3 == 1 else Weave(pick).text())


def test_generated_models_keep_their_answers() -> None:
    narrowed = 0
    for seed in range(80):
        program = models(seed)
        machine = Machine(program)
        for name in [prop.name for prop in program.properties if prop.kind != "liveness"]:
            part = cone(program, [name])
            if not part.left_out:
                continue
            narrowed += 1
            plain = findings("explicit", program, (name,), DEPTH)
            small = findings("explicit", part.program, (name,), DEPTH)
            if plain[name].verdict is Verdict.VIOLATED or small[name].verdict is not Verdict.PROVED:  # there may be fewer states in all
                assert (small[name].verdict, small[name].depth) == (plain[name].verdict, plain[name].depth), (seed, name)
            outcome(program, machine, "explicit", plain[name])
    assert narrowed > 60


def test_generated_witnesses_replay_on_the_whole_program() -> None:
    shown = 0
    for seed in range(40):
        program = models(seed)
        names = tuple(prop.name for prop in program.properties if prop.kind != "liveness")
        if not cone(program, names).left_out or not size(program, 2_000):
            continue
        report = prove(program, Request(names, engine="explicit")).report
        plain = prove(program, Request(names, engine="explicit", without=frozenset({"cone"}))).report
        assert [(one.name, one.verdict, one.depth) for one in report.properties] == [
            (one.name, one.verdict, one.depth) for one in plain.properties
        ], seed
        assert report.statistics["cone.variables left out"] == len(cone(program, names).left_out)
        assert "cone.variables left out" not in plain.statistics
        shown += sum(one.verdict is Verdict.VIOLATED for one in report.properties)
    assert shown > 5


CHAIN = """
    bool a; bool b; bool c; 0..3 n; bool row[2];
    thread_local bool mine;
    thread t {{ a = true; b = a; c = b; n = 1; row[1] = c; mine = true; {} }}
    thread u {{ skip; }}
    deadlock free;
    invariant late: !c || b;
"""


@pytest.mark.parametrize(
    ("more", "asked", "expected"),
    [
        ("", ["deadlock.global"], {"a", "b", "c", "n", "row[0]", "row[1]", "t.mine", "u.mine"}),
        ("", ["deadlock.global", "invariant.late"], {"n", "row[0]", "row[1]", "t.mine", "u.mine"}),  # c is fed by b, and b by a
        ("if (row[0]) { skip; }", ["deadlock.global"], {"n", "t.mine", "u.mine"}),
        ("await mine;", ["deadlock.global"], {"a", "b", "c", "n", "row[0]", "row[1]"}),
        ("n = n + 1;", ["deadlock.global"], {"a", "b", "c", "row[0]", "row[1]", "t.mine", "u.mine"}),  # it may leave its range
        ("row[n] = true;", ["deadlock.global"], {"t.mine", "u.mine"}),  # so may an index, and c is written to the same array
    ],
)
def test_what_is_left_out(more: str, asked: list[str], expected: set[str]) -> None:
    assert left_out(CHAIN.format(more), *asked) == expected


def test_what_is_passed_by_reference_stays() -> None:
    text = """bool a; bool b;
        proc p(ref bool x) { x = true; }
        thread t { p(a); b = true; }
        deadlock free;"""
    assert left_out(text, "deadlock.global") == {"b"}


def test_a_context_reads_too() -> None:
    text = """bool a; bool b;
        context main when a;
        thread t { a = true; b = true; poll main; }
        deadlock free;"""
    assert left_out(text, "deadlock.global") == {"b"}


# Behind a change, a wait is an error of an atomic, and before it none: by program text of an atomic, what of `a` and `b` is not read.
CHANGED = {
    "a = true; await go;": {"b"},
    "await go; a = true;": {"a", "b"},
    "lock L; a = true; unlock L;": {"a", "b"},
    "skip; a = true; with L { b = true; }": {"b"},
    "with L { a = true; wait S; }": {"b"},
    "if (go) { a = true; } else { b = true; } wait E;": set(),
    "choose { a = true; } or { b = true; join u; }": {"a"},
    "while (go) { join u; a = true; go = false; }": {"b"},
    "for i in 0..1 { a = true; wait S; b = true; }": set(),
    "changes(); await go;": {"b"},
    "changes(); b = true;": {"a", "b"},
    "b = true; waits(); a = true;": {"a"},
    "invoke any h;": {"b"},
    "while (go) { if (go) { a = true; break; } } await go;": {"b"},
}


@pytest.mark.parametrize("atomic", CHANGED)
def test_what_is_changed_before_an_atomic_may_wait_stays(atomic: str) -> None:
    text = f"""bool a; bool b; bool go; mutex L; sem S max 2; event E; hook h;
        proc changes() {{ a = true; }}
        proc waits() {{ wait E; }}
        callback first for h {{ await go; }}
        callback second for h {{ a = true; }}
        thread t {{ atomic {{ {atomic} }} b = true; invoke h; }}
        thread u {{ b = true; set E; go = true; }}"""
    program = program_of(text)
    part = cone(program, ["atomic"])
    assert part.left_out == CHANGED[atomic]
    for engine in ("explicit", "bmc"):
        plain, small = (findings(engine, one, safety(part.program), DEPTH) for one in (program, part.program))
        assert {name: (one.verdict, one.depth) for name, one in small.items()} == {
            name: (one.verdict, one.depth) for name, one in plain.items()
        }


def test_with_liveness_nothing_is_left_out() -> None:
    text = """bool a; bool b;
        thread t { loop { a = !a; b = true; } }
        liveness ends: eventually b;"""
    assert left_out(text, "liveness.ends") == set()


def test_witnesses_show_what_was_left_out(tmp_path: Path, told: Told) -> None:
    model = tmp_path / "shown.dsl"
    model.write_text("protocol shown; bool seen; mutex L; thread t { seen = true; lock L; lock L; }", encoding="utf-8")
    code, out, _ = told("prove", str(model), "--all", "--stats")
    assert code == 1
    assert "seen: false -> true" in out or "seen = true" in out
    assert told("prove", str(model), "--no-reduce", "cone")[0] == 1
