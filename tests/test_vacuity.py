"""Whether a proved property could fail, and what its proof needs: models for which both are known."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from contracted import verdict
from differential import parsed
from strategies import ModelText
from tools import Told

from formal.certificates.making import invariant_of
from formal.frontend import load_text
from formal.invariant import Invariant
from formal.program import Program, Property
from formal.resources import schema_path
from formal.vacuity.judging import judge
from formal.vacuity.resting import resting
from formal.vacuity.searching import look
from formal.vacuity.units import Unit, units_of, without
from formal.verdict import Vacuity, Verdict

GUARDED = """protocol guarded;
mutex L;
mutex other;
bool busy = false;
bool never_set = false;
thread t[2] {
    with other { skip; }
    with L {
        assert alone: !busy;
        busy = true;
        busy = false;
    }
    if (never_set) { assert unreached: busy; }
    assert quiet: never_set implies busy;
}
invariant tautology: busy || !busy;
invariant vacuous: never_set implies !busy;
invariant live: busy implies (exists v in t: holds(v, L));
invariant both: (forall v in t: holds(v, L) && never_set implies busy) && !never_set;
"""


def program_of(text: str) -> Program:
    loaded = load_text(text)
    assert loaded.program is not None, [one.render() for one in loaded.diagnostics]
    return loaded.program


def judged(text: str) -> dict[str, Vacuity]:
    program = program_of(text)
    proved = [name for name, one in verdict(program).items() if one is Verdict.PROVED]
    return {one.name: one for one in judge(program, proved, lambda: False)}


def needed(one: Vacuity) -> list[str] | None:
    return None if one.core is None else [unit.text for unit in one.core]


def test_each_kind_of_vacuity_is_told() -> None:
    found = judged(GUARDED)
    assert needed(found["assert.alone"]) == ["mutex L"]
    assert not found["assert.alone"].vacuous
    assert found["assert.alone"].reached is True
    assert (found["assert.unreached"].vacuous, found["assert.unreached"].reached) == (True, False)
    assert (found["assert.quiet"].vacuous, found["assert.quiet"].never) == (True, ("never_set",))
    assert (found["invariant.tautology"].vacuous, needed(found["invariant.tautology"])) == (True, [])
    assert (found["invariant.vacuous"].vacuous, found["invariant.vacuous"].never) == (True, ("never_set",))
    assert found["invariant.both"].never == ("holds(v, L) && never_set",)
    assert found["invariant.live"].never == ()
    assert not found["invariant.live"].reason


UNITS = {
    "sem s max 1 = 0; thread a { x = 1; post s; } thread b { wait s; assert p: x == 1; }": ["wait s"],
    "thread a { x = 1; } thread b { await x == 1; assert p: x == 1; }": ["await x == 1"],
    "thread a { choose { x = 1; } or { } if (x == 1) { assert p: x == 1; } }": ["if (x == 1)"],
    "thread a { choose { x = 1; } or { } while (x == 0) { x = 1; } assert p: x == 1; }": ["while (x == 0)"],
    "thread a { choose { x = 1; } or { } assume x == 1; assert p: x == 1; }": ["assume x == 1"],
    "thread a { choose { x = 1; } or { } assert q: x == 1; assert p: x == 1; }": None,
    "thread a { x = 1; } thread b { spawn a; join a; assert p: x == 1; }": ["join a"],
    "event e = false; thread a { x = 1; set e; } thread b { wait e; assert p: x == 1; }": ["wait e"],
    "mutex m; mutex n; thread t[2] { with m { with n { assert p: x == 0; x = 1; x = 0; } } }": ["mutex n"],
    "rwlock r; thread t[2] { wrlock r; assert p: x == 0; x = 1; x = 0; wrunlock r; }": ["rwlock r"],
    "mutex m[2]; thread t[2] { for i in 0..1 { lock m[i]; } assert p: x == 0; x = 1; x = 0; unlock m[0]; unlock m[1]; }": ["mutex m"],
    "thread a { x = 1; assert p: x == 1; }": [],
    "context c home a; bh b on c { x = 1; } thread a { schedule b; poll c blocking; assert p: x == 1; }": [],
    "bool w = true; context c home a; bh b on c { x = 1; w = false; } thread a { schedule b; aio_wait_while c (w); assert p: x == 1; }": [
        "aio_wait_while c (w)"
    ],
}


@pytest.mark.parametrize("body", UNITS, ids=range(len(UNITS)))
def test_the_core_is_what_the_proof_needs(body: str) -> None:
    found = judged(f"protocol t;\n0..1 x = 0;\n{body}\n").get("assert.p")
    if UNITS[body] is None:
        assert found is not None
        assert [unit.kind for unit in found.core or ()] == ["assertion"]
        return
    assert found is not None
    wanted = ["poll c blocking"] if "poll c blocking" in body else UNITS[body]
    assert needed(found) == wanted
    assert found.vacuous == (wanted == [])


def test_two_locks_for_the_same_are_no_vacuity() -> None:
    """Either is enough: none is needed alone, and one of them is the core."""
    body = "lock m; lock n; assert p: x == 0; x = 1; x = 0; unlock n; unlock m;"
    found = judged(f"protocol t;\n0..1 x = 0;\nmutex m;\nmutex n;\nthread t[2] {{ {body} }}\n")
    assert needed(found["assert.p"]) == ["mutex n"]


def test_deadlocks_are_about_waiting() -> None:
    found = judged("protocol t;\nthread a { skip; }\nthread b { skip; }\ndeadlock free;\n")
    assert all(one.vacuous and one.reason == "nobody ever waits" for one in found.values())
    found = judged("protocol t;\nmutex m;\nthread t[2] { with m { skip; } }\ndeadlock free;\n")
    assert not any(one.vacuous for name, one in found.items() if name.startswith("deadlock"))


@pytest.mark.parametrize("body", ["while (x) { lock m; unlock m; x = false; }", "with k { lock m; unlock m; }"])
def test_who_waits_inside_of_what_is_idle_waits(body: str) -> None:
    """A label is of one statement; and a circle of locks is one of whoever waits."""
    head, rest = "protocol t;\nmutex m;\nmutex k;\nbool x = true;\n", "thread u { idle: lock m; skip; unlock m; }\ndeadlock free;\n"
    found = judged(f"{head}thread t {{ idle: {body} }}\n{rest}")
    assert not any(one.vacuous for name, one in found.items() if name.startswith("deadlock"))
    found = judged(f"{head}thread t {{ idle: lock m; unlock m; }}\n{rest}")
    assert [one.vacuous for name, one in found.items() if name.startswith("deadlock")] == [True, True, False]


def test_leaving_out_only_adds_executions() -> None:
    """On random models: what is violated stays violated without any unit, alone or all together."""
    looked = 0
    for seed in range(40):
        program = parsed(ModelText(random.Random(seed).randrange).text())
        names = [prop.name for prop in program.properties if prop.kind in ("assert", "invariant", "requires", "ensures")]
        before = look(program, names, lambda: False)
        if not before.whole or not before.violated:
            continue
        units = [unit for unit in units_of(program) if not unit.fixed]
        for gone in [*([unit] for unit in units[:6]), units]:
            kept = {name for name in before.violated if name not in {unit.prop for unit in gone}}
            after = look(without(program, gone), names, lambda: False)
            if after.whole:
                looked += 1
                assert kept <= after.violated, (seed, [unit.text for unit in gone])
    assert looked > 20


def core_by_invariant(text_or_program: str | Program) -> Iterator[tuple[Program, str, frozenset[Unit], Sequence[Unit]]]:
    """By property: the core, and all units."""
    program = program_of(text_or_program) if isinstance(text_or_program, str) else text_or_program
    proved = {name for name, one in verdict(program).items() if one is Verdict.PROVED}
    wanted = [prop for prop in program.properties if prop.name in proved and prop.kind not in ("deadlock", "liveness")]
    invariant = invariant_of(program, wanted, lambda: False)
    if invariant is not None:
        units = units_of(program)
        for name, core in resting(program, wanted, units, invariant, lambda: False).items():
            yield program, name, core, units


@pytest.mark.parametrize("body", UNITS, ids=range(len(UNITS)))
def test_an_invariant_says_what_its_proof_needs(body: str) -> None:
    found = {name: core for _, name, core, _ in core_by_invariant(f"protocol t;\n0..1 x = 0;\n{body}\n")}
    if UNITS[body] is None:
        assert [unit.kind for unit in found["assert.p"]] == ["assertion"]
        return
    wanted = ["poll c blocking"] if "poll c blocking" in body else UNITS[body]
    core = [unit.text for unit in found["assert.p"]]
    assert core == (["mutex m"] if wanted == ["mutex n"] else wanted)  # either of the two is enough


def test_with_many_states_an_invariant_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is vacuous is the same, and what cannot be left out alone is known for sure; besides, the invariant may want more."""
    monkeypatch.setattr("formal.vacuity.judging.FEW", 0)
    program = program_of(GUARDED)
    proved = [name for name, one in verdict(program).items() if one is Verdict.PROVED]
    asked: list[str] = []

    def learn(properties: Sequence[Property]) -> Invariant | None:
        asked.extend(prop.name for prop in properties)
        return invariant_of(program, list(properties), lambda: False)

    found = {one.name: one for one in judge(program, proved, lambda: False, learn)}
    assert "assert.alone" in asked
    assert "assert.unreached" not in asked
    assert [unit.text for unit in found["assert.alone"].core or () if unit.sure] == ["mutex L"]
    vacuous = {name for name, one in judged(GUARDED).items() if one.vacuous}
    assert {name for name, one in found.items() if one.vacuous} == vacuous - {"invariant.live"}  # which takes another invariant


def test_what_is_in_no_core_can_be_left_out() -> None:
    """On random models: by the interpreter, a property is proved without all that its proof by an invariant does not need."""
    looked, left_out = 0, Counter[str]()
    for seed in range(20):
        program = parsed(ModelText(random.Random(seed).randrange).text())
        for _, name, core, units in core_by_invariant(program):
            gone = [unit for unit in units if not unit.fixed and unit not in core and unit.prop != name]
            after = look(without(program, gone), [name], lambda: False)
            if after.whole and gone:
                looked += 1
                left_out.update({unit.kind for unit in gone})
                assert not after.violated, (seed, name, [unit.text for unit in gone])
    assert looked > 100
    assert {"lock", "wait", "guard"} <= left_out.keys()


def test_the_command_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    monkeypatch.chdir(tmp_path)
    Path("guarded.dsl").write_text(GUARDED)
    code, out, _ = told("prove", "guarded.dsl", "--vacuity", "--engine", "explicit")
    assert code == 0
    assert "assert.alone: needs `mutex L` (guarded.dsl:2)" in " ".join(out.split())
    assert "assert.unreached: vacuous: no execution reaches it" in " ".join(out.split())
    code, out, _ = told("prove", "guarded.dsl", "--vacuity", "--engine", "explicit", "--format", "json")
    jsonschema.Draft202012Validator(json.loads(schema_path("prove").read_text())).validate(json.loads(out))
    assert {one["name"]: one["vacuous"] for one in json.loads(out)["vacuity"]}["invariant.vacuous"]
    code, _, err = told("prove", "guarded.dsl", "--vacuity", "--depth", "3")
    assert code == 2
    assert "--vacuity goes without --depth" in err
