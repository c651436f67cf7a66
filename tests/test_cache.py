"""What is remembered of proofs: for exactly the same question, replayed where it is a violation, and never trusted when damaged."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import formal.cache
from formal.cache import Cache, Known, Question, Remembered
from formal.cli import main
from formal.commands.remembering import cache_of, kept, recalled
from formal.console import UsageError
from formal.engines.protocol import Finding, Outline
from formal.fingerprint import fingerprint
from formal.frontend import load_text
from formal.pipeline import Answer, Request, prove, select
from formal.program import Program
from formal.resources import schema_path
from formal.verdict import Move, Trace, Verdict

ROOT = Path(__file__).resolve().parent.parent
CROSSED = """protocol crossed "two locks"; mutex a; mutex b; bool done;
thread t @ "block.c:one" { lock a; lock b; done = true; unlock b; unlock a; }
thread u { lock b; lock a; unlock a; unlock b; }
invariant fine: !done || done;
deadlock free;
"""
LASSO = """protocol lasso "never"; bool go; mutex m; thread t { loop { lock m; go = false; unlock m; } } liveness l: eventually go;"""
PLAIN = Question("explicit", None, frozenset())


def program(text: str, name: str = "m.dsl") -> Program:
    loaded = load_text(text, name)
    assert loaded.program is not None, loaded.diagnostics
    return loaded.program


def asked(model: Program, cache: Cache | None, **changes: Any) -> Answer:
    request = replace(Request(select(model, ())[0], engine="explicit", statistics=True), **changes)
    return kept(cache, model, request, prove(model, recalled(cache, model, request)))


def cached(answer: Answer) -> list[bool]:
    return [one.then is not None for one in answer.report.properties]


def entry(cache: Cache) -> Path:
    (path,) = cache.folder.iterdir()
    return path


# ---------------------------------------------------------------- what makes a difference


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "// a comment\n" + text,
        lambda text: text.replace("; ", ";\n\n  "),
        lambda text: text.replace('"two locks"', '"another title"'),
        lambda text: text + "expect violated deadlock.global;",
    ],
)
def test_what_means_the_same(change: Callable[[str], str]) -> None:
    assert fingerprint(program(change(CROSSED), "other.dsl")) == fingerprint(program(CROSSED))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mutex a;", "recursive mutex a;"),
        ("bool done;", "bool done = true;"),
        ("lock b; done = true;", "done = true; lock b;"),
        ("done = true;", "done = false;"),
        ("thread u {", "thread v {"),
        ("thread u { lock b; lock a;", "thread u { lock b; idle: lock a;"),
        ("!done || done", "done || !done"),
        ("!done || done", "!done || !done"),
        ("invariant fine", "invariant good"),
        ("deadlock free;", "deadlock free global;"),
        ("block.c:one", "block.c:two"),
    ],
)
def test_what_means_something_else(old: str, new: str) -> None:
    changed = load_text(CROSSED.replace(old, new, 1), "m.dsl").program
    assert changed is None or fingerprint(changed) != fingerprint(program(CROSSED))
    assert changed is not None or "free global" in new


def test_which_object_is_meant_matters() -> None:
    model = program(CROSSED)
    a, b = model.mutexes
    assert fingerprint(replace(model, mutexes=(a, b, a))) != fingerprint(replace(model, mutexes=(a, b, b)))


def test_lines_matter_where_they_are_asked_for() -> None:
    moved = program(CROSSED.replace("mutex b;", "\nmutex b;"))
    assert fingerprint(moved, lines=True) != fingerprint(program(CROSSED), lines=True)
    assert fingerprint(program(CROSSED + "// end"), lines=True) == fingerprint(program(CROSSED), lines=True)


@pytest.mark.parametrize(
    "question", [replace(PLAIN, engine="bmc"), replace(PLAIN, depth=3), replace(PLAIN, without=frozenset({"merging"}))]
)
def test_another_question_is_not_answered(question: Question, tmp_path: Path) -> None:
    cache, model = Cache(tmp_path / "c"), program(CROSSED)
    known = Known("explicit", Finding("invariant.fine", Verdict.PROVED, None, "why"), 1.0)
    cache.keep(model, PLAIN, Remembered({"invariant.fine": known}))
    assert cache.recall(model, PLAIN).findings == {"invariant.fine": known}
    assert not cache.recall(model, question).findings


@pytest.mark.parametrize("name", ["formal.cache.code_digest", "importlib.metadata.version"])
def test_another_build_or_solver_is_not_answered(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, model = Cache(tmp_path / "c"), program(CROSSED)
    asked(model, cache)
    assert cache.recall(model, PLAIN).findings
    formal.cache._surroundings.cache_clear()
    monkeypatch.setattr(name, lambda *_: "another")
    assert not cache.recall(model, PLAIN).findings
    formal.cache._surroundings.cache_clear()


# ---------------------------------------------------------------- what is answered


@pytest.mark.parametrize("text", [CROSSED, LASSO])
def test_the_second_answer_is_the_first(text: str, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    first = asked(program(text), cache)
    edited = program("/* moved */\n" + text, "elsewhere.dsl")
    second = asked(edited, cache)
    afresh = asked(edited, None)
    assert set(cached(first)) == {False}
    assert set(cached(second)) == {True}
    assert tuple(replace(one, then=None) for one in second.report.properties) == afresh.report.properties
    assert second.report.properties[-1].then == pytest.approx(first.report.seconds, abs=0.001)
    assert second.report.statistics["cache.hits"] == len(second.report.properties)
    assert second.report.statistics["explicit.states"] == first.report.statistics["explicit.states"]


def test_only_what_is_missing_is_searched_for(tmp_path: Path) -> None:
    cache, model = Cache(tmp_path / "c"), program(CROSSED)
    asked(model, cache, properties=("invariant.fine",))
    second = asked(model, cache)
    assert {one.name for one in second.report.properties if one.then is not None} == {"invariant.fine"}
    assert set(cached(asked(model, cache))) == {True}


# Somebody is left beside two, where there are three at least: proved from six on, by counting. The other one is from two on.
OTHERS = """protocol others "three at least"; param N in 1..* = 16; bool a; bool b; 0..3 n[N];
thread t[i: N] { atomic { if (!a) { a = true; n[i] = 1; } else if (!b) { b = true; n[i] = 2; } else { n[i] = 3; } } }
invariant others: exists v in 0..N - 1: n[v] != 1 && n[v] != 2;
invariant one: forall v in 0..N - 1: n[v] == 1 implies a;
"""
GROWS = """protocol grows "two posts each"; param N in 1..* = 16; sem s max 2 * N = 0; thread t[N] { post s; post s; }"""


def test_from_which_size_on_something_is_proved_is_kept_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "others.dsl"
    path.write_text(OTHERS)
    asked_for = ["prove", str(path), "--cache", str(tmp_path / "c"), "--format", "json"]
    for name in ("others", "one"):
        assert main([*asked_for, "-D", "N=6..*", "--property", f"invariant.{name}"]) == 0
    least = {name: known.finding.least for name, known in Cache(tmp_path / "c").recall(*whole(OTHERS)).findings.items()}
    assert least == {"invariant.others": (("N", 6),), "invariant.one": (("N", 2),)}
    capsys.readouterr()
    assert main([*asked_for, "-D", "N=2..*", "--property", "invariant.*"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {result["name"]: result["verdict"] for result in report["properties"]} == {
        "invariant.others": "violated",
        "invariant.one": "proved",
    }
    assert report["parameters"] == {"N": 2}


def whole(text: str) -> tuple[Program, Question]:
    return program(text), Question("families", None, frozenset())


def test_what_is_proved_for_every_size_is_of_the_text(tmp_path: Path) -> None:
    one, other = program(GROWS), program(GROWS.replace("2 * N", "N + 16"))
    cache = Cache(tmp_path)
    assert fingerprint(one) == fingerprint(other)
    assert asked(one, cache, engine="families").report.verdict is Verdict.PROVED
    assert cached(asked(one, cache, engine="families")) == [True]
    answer = asked(other, cache, engine="families")
    assert (cached(answer), answer.report.verdict) == ([False], Verdict.UNDECIDED)


def test_a_violation_that_does_not_replay_is_searched_for_again(tmp_path: Path) -> None:
    cache, model = Cache(tmp_path / "c"), program(CROSSED)
    true = {one.name: one.verdict for one in asked(model, None).report.properties}
    assert true["invariant.fine"] is Verdict.PROVED
    lies = {
        "invariant.fine": Known("explicit", Finding("invariant.fine", Verdict.VIOLATED, 0, "", Trace("invariant.fine", ())), 1.0),
        "relock": Known("explicit", Finding("relock", Verdict.VIOLATED, 1, "", Trace("relock", (Move(99, None),))), 1.0),
    }
    cache.keep(model, PLAIN, Remembered(lies))
    answer = asked(model, cache)
    assert {one.name: one.verdict for one in answer.report.properties} == true
    assert not any(cached(answer))


@pytest.mark.parametrize("damage", [lambda text: text[:-9], lambda text: text.replace("proved", "pr0ved"), lambda _: "", lambda _: "[]"])
def test_a_damaged_entry_is_written_anew(damage: Callable[[str], str], tmp_path: Path) -> None:
    cache, model = Cache(tmp_path / "c"), program(CROSSED)
    asked(model, cache)
    whole = entry(cache).read_text()
    entry(cache).write_text(damage(whole))
    assert not any(cached(asked(model, cache)))
    assert all(cached(asked(model, cache)))


def test_an_entry_is_of_its_own_key(tmp_path: Path) -> None:
    cache, one, other = Cache(tmp_path / "c"), program(CROSSED), program(LASSO)
    asked(one, cache)
    entry(cache).rename(cache._path(other, PLAIN))
    assert not any(cached(asked(other, cache)))


def test_an_outline_is_of_its_lines(tmp_path: Path) -> None:
    cache, model = Cache(tmp_path / "c"), program(CROSSED)
    outline = Outline(("t: a held exactly at t:2",), ("relock",))
    cache.keep(model, PLAIN, Remembered(outline=outline))
    assert cache.recall(model, PLAIN).outline == outline
    assert cache.recall(program("\n" + CROSSED), PLAIN).outline is None


# ---------------------------------------------------------------- the folder


def test_the_oldest_go_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("x" * 5000)
    known = Remembered({"relock": Known("explicit", Finding("relock", Verdict.PROVED, None, "y" * 1000), 1.0)})
    cache = Cache(tmp_path, bound=4000)
    models = [program(CROSSED.replace("done", f"done{number}")) for number in range(6)]
    for number, model in enumerate(models):
        cache.keep(model, PLAIN, known)
        os.utime(cache._path(model, PLAIN), (number, number))
    count, size = cache.size()
    assert 0 < count < 6
    assert size <= 4000
    assert not cache.recall(models[0], PLAIN).findings
    assert cache.recall(models[5], PLAIN).findings
    assert (tmp_path / "notes.json").exists()


def test_a_folder_that_cannot_be_written_is_told_with_the_figures(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = asked(program(CROSSED), Cache(tmp_path / "file" / "c"))
    assert "Not a directory" in str(answer.report.statistics["cache.unusable"])


def test_writers_at_the_same_time(tmp_path: Path) -> None:
    script = f"""
import sys
from formal.cache import *
from formal.frontend import load_text
model = load_text({CROSSED!r}, "m.dsl").program
for number in range(30):
    known = Known("explicit", Finding(f"p{{number}}", Verdict.PROVED, None, sys.argv[1] * 500), 1.0)
    Cache(Path({str(tmp_path / "c")!r})).keep(model, Question("explicit", None, frozenset()), Remembered({{f"p{{number}}": known}}))
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, name], cwd=ROOT) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    found = Cache(tmp_path / "c").recall(program(CROSSED), PLAIN).findings
    assert "p29" in found
    assert [path for path in (tmp_path / "c").iterdir() if path.suffix != ".json"] == []


def arguments(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"no_cache": False, "cache": None, **given})


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "/home/u"}, "/home/u/.cache/formal/verdicts"),
        ({"HOME": "/home/u", "XDG_CACHE_HOME": "/x"}, "/x/formal/verdicts"),
        ({"HOME": "/home/u", "XDG_CACHE_HOME": "relative"}, "/home/u/.cache/formal/verdicts"),
        ({"HOME": "/home/u", "CI": "true"}, None),
        ({"HOME": "/home/u", "CI": "false"}, "/home/u/.cache/formal/verdicts"),
        ({"FORMAL_CACHE": "off"}, None),
        ({"FORMAL_CACHE": "/there", "CI": "true"}, "/there"),
    ],
)
def test_where_it_is(environment: dict[str, str], folder: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORMAL_CACHE", "CI", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = cache_of(arguments())
    assert (None if found is None else str(found.folder)) == folder


def test_what_the_command_line_says(tmp_path: Path) -> None:
    found = cache_of(arguments(cache=str(tmp_path)))
    assert found is not None
    assert found.folder == tmp_path
    assert cache_of(arguments(no_cache=True)) is None
    with pytest.raises(UsageError):
        cache_of(arguments(no_cache=True, cache=str(tmp_path)))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        cache_of(arguments(cache=str(tmp_path / "file")))


def test_the_commands_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "crossed.dsl").write_text(CROSSED + "expect violated deadlock.global; expect violated deadlock.lock_order;")
    options = ["--cache", str(tmp_path / "c"), "--engine", "explicit"]

    def run(*words: str) -> str:
        main(words)
        return capsys.readouterr().out

    model = str(tmp_path / "crossed.dsl")
    assert "cached" not in run("prove", model, *options)
    text = run("prove", model, *options)
    assert "; all cached, " in text
    assert "deadlock.global is violated after 2 steps" in text
    document = json.loads(run("prove", model, *options, "--format", "json"))
    Draft202012Validator(json.loads(schema_path("prove").read_text())).validate(document)
    assert all(one["cached"] and one["seconds_then"] >= 0 for one in document["properties"])
    assert "violated (cached)" in run("regress", model, *options)
    assert "cached" not in run("prove", model, *options, "--save", str(tmp_path / "proofs"))
