"""What holds where: lemmas that control flow suggests, proved before they are told, and what follows from them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from differential import Incomparable, findings, parsed, size
from hypothesis import HealthCheck, given, settings
from strategies import model_texts
from systems import SystemBuilder

from formal import pipeline
from formal.cli import main
from formal.engines.protocol import Options, Outline
from formal.invariant import Literal
from formal.pipeline import Request, prove
from formal.program import Program
from formal.race import Disagreement
from formal.smt import outline_proof
from formal.smt.outline import Note, outline
from formal.smt.outline_proof import OutlineProof
from formal.smt.parts import Parts
from formal.verdict import PropertyResult, Verdict

MEMORY = 4096  # mebibytes

BRACKETS = """protocol p;
mutex m;
thread_local bool inside = false;
bool x;
proc enter() {
    lock m;
    inside = true;
}
proc leave() {
    inside = false;
    unlock m;
}
proc touch() requires holds(m) {
    x = !x;
}
thread t[i: 2] {
    loop {
        enter();
        touch();
        leave();
    }
}
thread late {
    with m {
        x = false;
    }
}
invariant alone: !(holds(t[0], m) && holds(t[1], m));
deadlock free;
"""


def proof(text: str, *, offered: bool = True) -> OutlineProof:
    program = parsed(text)
    return OutlineProof(program, [prop for prop in program.properties if prop.kind != "liveness"], MEMORY, offered=offered)


def test_lines_are_those_of_the_source() -> None:
    assert proof(BRACKETS).lines() == (
        "t[0], t[1]: m held everywhere but at enter:6",
        "t[0], t[1]: inside exactly at touch, leave:10",
        "late: m held everywhere but at late:24.enter",
        "late: !inside everywhere",
        "late: x only at late:24.enter,25",
    )


def test_what_follows() -> None:
    proved = set(proof(BRACKETS).proved())
    assert {"relock", "not_owner", "invariant.alone"} <= proved
    assert any(name.startswith("requires.") for name in proved) or any(name.startswith("assert.") for name in proved)


def test_nothing_follows_from_nothing() -> None:
    bare = proof(BRACKETS, offered=False)
    assert (bare.lines(), "not_owner" in bare.proved()) == ((), False)


RECURSIVE = """protocol p;
recursive mutex m;
thread t { lock m; lock m; unlock m; skip; unlock m; skip; }
"""


def test_what_may_be_so_is_told_apart_from_what_surely_is() -> None:
    (line,) = proof(RECURSIVE).lines()
    assert line.startswith("t: m held surely at ")
    assert ", only at " in line


def test_a_false_note_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever suggests a lemma may be wrong: nothing is told that is not inductive, at the start or after a step."""

    def lying(parts: Parts) -> list[Note]:
        lies = [Note("late", "m held", "surely", frozenset(), ((Literal(part, values, negated),),)) for part, values, negated in LIES]
        return [*outline(parts), *lies]

    honest = proof(BRACKETS).lines()
    monkeypatch.setattr(outline_proof, "outline", lying)
    assert proof(BRACKETS).lines() == honest


LIES = [("m.owner", ("late",), False), ("m.owner", ("none",), False), ("x", ("true",), True)]


def test_spawned_threads_and_locks_that_are_shared() -> None:
    text = """protocol p;
    rwlock l;
    thread main {
        spawn late;
        wrlock l;
        wrunlock l;
    }
    thread late {
        rdlock l; skip; rdunlock l;
    }
    """
    assert proof(text).lines() == ("main: l held exactly at main:6", "late: l held exactly at late:9*")


def told(program: Program) -> Outline:
    """What the engine tells a reader."""
    from formal.engines.lemmas import run

    outlines: list[Outline] = []
    names = tuple(prop.name for prop in program.properties)
    run(program, Options(names), lambda event: outlines.append(event) if isinstance(event, Outline) else None)
    return outlines[0]


# ---------------------------------------------------------------- against the reference


def agrees(program: Program) -> None:
    """Nothing follows that the exploration of all states violates."""
    names = tuple(prop.name for prop in program.properties if prop.kind != "liveness")
    if not names or not size(program, 3_000):
        return
    proved = set(told(program).proves)
    violated = {finding.prop for finding in findings("explicit", program, names, None).values() if finding.verdict is Verdict.VIOLATED}
    assert not proved & violated


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(model_texts())
def test_agrees_with_the_reference_on_generated_texts(text: str) -> None:
    try:
        agrees(parsed(text))
    except Incomparable:
        return


@pytest.mark.parametrize("seed", range(10))
def test_agrees_with_the_reference_on_seeded_systems(seed: int) -> None:
    agrees(SystemBuilder(random.Random(seed).randrange).program())


# ---------------------------------------------------------------- beside the search


def asked(program: Program, **options: bool) -> Request:
    return Request(tuple(prop.name for prop in program.properties), outline=True, **options)  # type: ignore[arg-type]


def test_a_proof_comes_with_what_holds_where() -> None:
    program = parsed(BRACKETS)
    report = prove(program, asked(program)).report
    assert report.verdict is Verdict.PROVED
    assert report.invariant == proof(BRACKETS).lines()
    assert set(report.follows) == set(proof(BRACKETS).proved())


def test_a_violation_comes_without() -> None:
    program = parsed("protocol p; mutex m; thread t { lock m; lock m; }")
    report = prove(program, asked(program)).report
    assert (report.verdict, report.invariant) == (Verdict.VIOLATED, ())


def test_what_follows_is_a_second_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = PropertyResult("relock", "builtin", None, Verdict.VIOLATED, 2, "explicit", "")
    with pytest.raises(Disagreement, match="lemmas says that it follows"):
        pipeline._agree(Outline((), ("relock",)), (broken,))
    pipeline._agree(Outline((), ("not_owner",)), (broken,))
    pipeline._agree(None, (broken,))


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "p.dsl"
    path.write_text(BRACKETS)
    return str(path)


def test_shown_to_people(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", model]) == 0
    shown = capsys.readouterr().out
    assert "what holds where (an inductive invariant, proved in one step; " in shown
    assert "\n  t[0], t[1]: m held everywhere but at enter:6\n" in shown
    assert main(["prove", model, "--quiet"]) == 0
    assert "what holds where" not in capsys.readouterr().out


def test_by_name(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", model, "--engine", "lemmas"]) == 0
    assert "lemmas about where locks are held, proved inductive (lemmas)" in " ".join(capsys.readouterr().out.split())
    path = tmp_path / "counts.dsl"
    path.write_text("protocol counts; 0..3 n; thread t { n = 1; n = n + 1; } invariant n < 3;")
    assert main(["prove", str(path), "--engine", "lemmas"]) == 3
    assert "it does not follow from where locks are held" in " ".join(capsys.readouterr().out.split())
