"""`formal compare`: what differs between two models, and which of it matters."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from strategies import ModelText

from formal.cli import main
from formal.compare.comparison import Pair
from formal.compare.difference import Clauses, Declared, Hook, Hunk
from formal.fingerprint import fingerprint
from formal.frontend import load, load_text
from formal.pipeline import Request, prove
from formal.program import Block, Program
from formal.resources import schema_path
from formal.rewriting.admitting import Refused
from formal.rewriting.flattening import flat
from formal.rewriting.retyping import retyped
from formal.verdict import Verdict

ROOT = Path(__file__).resolve().parent.parent

BEFORE = """protocol before "two that meet";
mutex L;
bool busy = false;
thread t[2] {
    assert !busy;
    busy = true;
    busy = false;
    skip;
}
deadlock free;
expect violated assert.t.1;
"""
AFTER = """protocol after "one at a time";
mutex L;
bool busy = false;
thread t[2] {
    lock L;
    assert !busy;
    busy = true;
    busy = false;
    unlock L;
}
deadlock free;
expect proved;
"""


def program_of(text: str) -> Program:
    loaded = load_text(text)
    assert loaded.program is not None, [one.render() for one in loaded.diagnostics]
    return loaded.program


def pair_of(before: str, after: str) -> Pair:
    return Pair(program_of(before), program_of(after))


def told(pair: Pair) -> list[tuple[str, list[str]]]:
    return [(one.where, [f"{line.sign} {line.text}" for line in one.lines]) for one in pair.told()]


def body(statements: str, more: str = "") -> str:
    return f"protocol p; mutex L; mutex M; bool x = false; bool y = false; {more} thread t {{ {statements} }} deadlock free;"


# ---------------------------------------------------------------- the difference


def test_a_model_does_not_differ_from_itself() -> None:
    program = load(str(ROOT / "models/savevm_locked.dsl")).program
    assert program is not None
    assert Pair(program, program).found.changes == []


def test_names_constants_and_layout_are_no_difference() -> None:
    one = body("if (A) { lock L; } unlock L;", "const A = true;")
    assert pair_of(one, body("lock  L; { unlock L; }")).found.changes == []


@pytest.mark.parametrize(
    ("before", "after", "hunks"),
    [
        ("lock L; x = true; unlock L;", "x = true;", [["- lock L", "  x = true"], ["  x = true", "- unlock L"]]),
        ("lock L; unlock L;", "lock M; unlock L;", [["- lock L", "+ lock M", "  unlock L"]]),
        ("lock L; lock M;", "lock M; lock L;", [["- lock L", "  lock M"], ["  lock M", "+ lock L"]]),
        ("while (x) { skip; y = true; }", "while (x) { y = true; }", [["- skip", "  y = true"]]),
        ("while (x) { skip; }", "while (y) { skip; }", [["- while (x)", "-     skip", "+ while (y)", "+     skip"]]),
        ("choose { x = true; } or { skip; }", "choose { x = true; } or { y = true; }", [["- skip", "+ y = true"]]),
    ],
)
def test_hunks(before: str, after: str, hunks: list[list[str]]) -> None:
    assert sorted(lines for _, lines in told(pair_of(body(before), body(after)))) == sorted(hunks)


def test_clauses_hooks_declarations_and_properties() -> None:
    before = """protocol b; hook H; 0..3 x = 0; callback one for H { skip; } callback two for H { x = 1; }
        proc p() requires x == 0 { skip; } thread t { p(); invoke H; } invariant i: x < 3;"""
    after = """protocol a; hook H; 0..3 x = 2; callback two for H { x = 1; } callback one for H { skip; }
        proc p() requires x == 2 { skip; } thread t { p(); invoke H; } invariant i: x < 4;"""
    pair = pair_of(before, after)
    kinds = {type(one) for one in pair.found.changes}
    assert kinds == {Clauses, Hook, Declared}
    assert ("hook H", ["- one, two", "+ two, one"]) in told(pair)
    assert ("at p", ["- requires x == 0", "+ requires x == 2"]) in told(pair)
    assert [one.name for one in pair.found.asked] == ["invariant.i"]


def test_statements_are_paired() -> None:
    pair = pair_of(body("lock L; x = true; unlock L;"), body("x = true;"))
    (thread,) = pair.after.threads
    (only,) = thread.decl.body.statements
    assert not isinstance(only, Block)
    assert list(pair.found.pairs.values()) == [only.info.uid]


# ---------------------------------------------------------------- taken back


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("models/savevm_unlocked.dsl", "models/savevm_locked.dsl"),
        ("models/multifd_sync_locked.dsl", "models/multifd_sync_unlocked.dsl"),
        ("models/classic/abba.dsl", "models/classic/abba_ordered.dsl"),
    ],
)
def test_all_taken_back_is_before(before: str, after: str) -> None:
    one, other = load(str(ROOT / before)).program, load(str(ROOT / after)).program
    assert one is not None
    assert other is not None
    pair = Pair(one, other)
    numbers = tuple(number for number, change in enumerate(pair.found.changes, 1) if not isinstance(change, Declared))
    back = flat(pair.without(numbers))
    again = Pair(one, back)
    assert again.found.changes == []
    assert len(pair.found.changes) > 0


def test_what_is_put_back_brings_its_declarations() -> None:
    before = body("lock N; x = true; p(); unlock N;", "mutex N; proc p() { q(); } proc q() { assert !y; }")
    pair = pair_of(before, body("x = true;"))
    hunks = [number for number, change in enumerate(pair.found.changes, 1) if isinstance(change, Hunk)]
    back = pair.without(hunks)
    assert {one.name for one in back.mutexes} == {"L", "M", "N"}
    assert {"p", "q"} <= back.procs.keys()
    assert "assert.q.1" in {one.name for one in back.properties}


def test_a_label_that_both_have_is_one_place() -> None:
    more = " invariant here: at(t, at_it) implies !x;"
    pair = pair_of(body("x = true; at_it: skip;") + more, body("at_it: x = true;") + more)
    hunks = [number for number, change in enumerate(pair.found.changes, 1) if isinstance(change, Hunk)]
    from formal.mutants.judging import Hunt

    assert dict(Hunt(pair.without(hunks), ("invariant.here",)).kills()) == {"invariant.here": 1}


def test_a_value_is_taken_back() -> None:
    pair = pair_of(body("skip;", "0..3 n = 1;"), body("skip;", "0..3 n = 2;"))
    back = pair.without([1])
    assert [one.initial for one in back.variables if one.name == "n"] == [(1,)]


def taken_back(before: str, after: str) -> Program:
    pair = pair_of(before, after)
    return pair.without(range(1, len(pair.found.changes) + 1))


def verdicts(program: Program, engine: str) -> dict[str, Verdict]:
    names = tuple(prop.name for prop in program.properties)
    return {one.name: one.verdict for one in prove(program, Request(names, engine=engine, jobs=1)).report.properties}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0..5 n; 0..2 m; thread t { n = 5; m = n; }", ("0..5 n", "0..2 n", "n = 5", "n = 2")),
        ("0..5 n; 0..3 m; thread t { n = 5; m = n - 1; }", ("0..5 n", "0..3 n", "n = 5", "n = 2")),
        ("sem S max 3; 0..1 m; thread t { post S; post S; m = count(S); }", ("max 3", "max 1", "post S; post S;", "post S;")),
        ("0..2 m; thread t { 0..5 n = 5; m = n; }", ("0..5 n = 5", "0..2 n = 2")),
        ("thread t { 0..2 n = 5; }", ("0..2 n", "0..9 n")),
        ("thread_local 0..5 n; 0..2 m; thread t { n = 5; m = n; }", ("0..5 n", "0..2 n", "n = 5", "n = 2")),
    ],
)
@pytest.mark.parametrize("engine", ["explicit", "bmc"])
def test_a_range_is_taken_back_wherever_it_is_believed(before: str, after: tuple[str, ...], engine: str) -> None:
    """An expression has the interval of what it is made of: by that it is told whether a step has to be looked at."""
    other = before
    for old, new in zip(after[::2], after[1::2], strict=True):
        other = other.replace(old, new)
    assert verdicts(program_of(f"protocol p; {other}"), engine)["range"] is Verdict.PROVED
    assert verdicts(taken_back(f"protocol p; {before}", f"protocol p; {other}"), engine)["range"] is Verdict.VIOLATED


def test_intervals_are_those_of_the_front_end() -> None:
    for seed in range(40):
        program = program_of(ModelText(random.Random(seed).randrange).text())
        assert retyped(program) is program


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("enum e { A, B, C } e x; thread t { x = C; assert x != A; }", ("{ A, B, C }", "{ A, C }"), "an enum has other members"),
        ("thread t { { 0..5 x = 1; x = 2; } { bool x; } }", ("x = 2;", ""), "`x` in t is the name of several variables"),
        (
            "0..5 n[3]; thread t { for v in 0..2 { n[v] = 1; n[v] = 2; } for v in 0..1 { skip; } }",
            ("n[v] = 2;", ""),
            "`v` in t is the name",
        ),
    ],
)
def test_what_is_not_known_to_mean_the_same_is_not_taken_back(before: str, after: tuple[str, str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        taken_back(f"protocol p; {before}", f"protocol p; {before.replace(*after)}")


def test_a_name_that_a_change_declares_itself_is_known() -> None:
    before = (
        "protocol p; bool b[3]; thread t { await forall v in 0..2: !b[v]; assert exists v in 0..1: b[v]; for v in 0..2 { b[v] = true; } }"
    )
    program = taken_back(before, before.replace("await forall v in 0..2: !b[v];", ""))
    assert verdicts(program, "explicit") == verdicts(program_of(before), "explicit")


def test_other_threads_are_not_taken_back() -> None:
    pair = pair_of(body("skip;"), body("x = true;", "thread more { skip; }"))
    with pytest.raises(Refused, match="other threads"):
        pair.without([1])


def test_groups() -> None:
    pair = pair_of(body("lock L; x = true; unlock L;"), body("x = true;"))
    assert list(pair.groups()) == [(1,), (2,), (1, 2)]


def test_neither_program_is_changed() -> None:
    one, other = program_of(BEFORE), program_of(AFTER)
    digests = fingerprint(one), fingerprint(other)
    pair = Pair(one, other)
    for numbers in pair.groups():
        pair.without(numbers)
    assert (fingerprint(one), fingerprint(other)) == digests


# ---------------------------------------------------------------- the command


def files(folder: Path, before: str = BEFORE, after: str = AFTER) -> list[str]:
    (folder / "before.dsl").write_text(before, encoding="utf-8")
    (folder / "after.dsl").write_text(after, encoding="utf-8")
    return [str(folder / "before.dsl"), str(folder / "after.dsl")]


def compared(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(["compare", *files(folder), "--format", "json", "--no-cache", *words]) == code
    return json.loads(capsys.readouterr().out)


def test_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = compared(tmp_path, capsys)
    jsonschema.Draft202012Validator(json.loads(schema_path("compare").read_text())).validate(document)
    assert document["certified"] is True
    assert [(one["where"], [line["sign"] for line in one["lines"]]) for one in document["changes"]] == [
        ("in t", ["+", " "]),
        ("in t", [" ", "-", "+"]),
    ]
    (course,) = document["courses"]
    assert course["property"] == "assert.t.1"
    assert course["impossible_from"] == 1
    assert [gap["kind"] for gap in course["gaps"]] == ["own", "own", "blocked"]
    assert course["gaps"][2]["why"].startswith("it waits for L, which t[")
    reverted = {tuple(one["changes"]): one for one in document["reverted"]}
    assert [one["property"] for one in reverted[(1,)]["violated"]][:1] == ["assert.t.1"]
    assert [one["property"] for one in reverted[(2,)]["violated"]] == ["deadlock.global"]
    assert reverted[(1, 2)]["violated"][0]["property"] == "assert.t.1"


def test_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files(tmp_path), "--no-cache"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "before -> after: BEFORE is violated as it expects, AFTER is proved" in out
    assert "+ lock L" in out
    assert "cannot execute `lock L`" in out
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80


def test_a_change_that_nobody_needs_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = AFTER.replace("unlock L;", "unlock L; skip;")
    assert main(["compare", *files(tmp_path, BEFORE.replace("skip;", ""), after), "--no-cache"]) == 0
    assert "no property needs" not in capsys.readouterr().out  # the `skip` is one change with the `unlock`
    after = AFTER.replace("lock L;", "lock L; skip;", 1).replace("    busy = true;", "    skip; busy = true;")
    assert main(["compare", *files(tmp_path, BEFORE, after), "--no-cache"]) == 0
    assert "everything is proved all the same: no property needs it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "code", "why"),
    [
        (BEFORE, BEFORE, 1, "AFTER: assert.t.1 is violated"),
        (AFTER, AFTER, 1, "BEFORE does not expect any violation"),
        (BEFORE.replace("assert.t.1", "deadlock.global"), AFTER, 1, "BEFORE: deadlock.global is expected to be violated, and is proved"),
    ],
)
def test_what_is_no_remedy(before: str, after: str, code: int, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files(tmp_path, before, after), "--no-cache", "--quiet"]) == code
    assert why in " ".join(capsys.readouterr().out.split())


def test_records_are_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compared(tmp_path, capsys, "--save", str(tmp_path / "records"))
    assert sorted(path.name for path in (tmp_path / "records").iterdir()) == ["after.json", "before--after.compare.json", "before.json"]
    records = [str(tmp_path / "records" / name) for name in ("after.json", "before.json")]
    assert main(["recheck", "--solver", "z3", *records]) == 0


def test_a_regression_holds_stored_comparisons(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files(tmp_path)
    assert main(["compare", "before.dsl", "after.dsl", "--no-cache", "--quiet", "--save", "proofs"]) == 0
    stored = tmp_path / "proofs" / "before--after.compare.json"

    def row(code: int) -> Any:
        capsys.readouterr()
        assert main(["regress", ".", "--proofs", "proofs", "--format", "json", "--no-cache"]) == code
        return next(one for one in json.loads(capsys.readouterr().out)["models"] if one["file"].endswith(".compare.json"))

    assert (row(0)["state"], row(0)["verdict"]) == ("as recorded", "certified")
    text = stored.read_text()
    document = json.loads(text)
    document["courses"][0]["impossible_from"] = 2
    stored.write_text(json.dumps(document))
    assert row(1)["problems"] == ["the witnesses of BEFORE go otherwise in AFTER now"]
    stored.write_text(json.dumps({**json.loads(text), "certified": False, "changes": []}))
    assert len(row(1)["problems"]) == 2
    stored.write_text("{}")
    assert row(2)["state"] == "bad record"
    stored.write_text(text)
    (tmp_path / "after.dsl").write_text(AFTER.replace("unlock L;", "unlock L; skip;"))
    assert row(1)["state"] == "stale"


def test_the_page_is_whole_and_escaped(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    hostile = BEFORE.replace("two that meet", "<b>&amp;</b>")
    assert main(["compare", *files(tmp_path, hostile), "--no-cache", "--format", "html", "-o", str(page)]) == 0
    text = page.read_text(encoding="ascii")
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in text
    assert "<script" not in text
    assert text.count('<div class="come">') == 2


@pytest.mark.parametrize(
    ("words", "why"), [(["--format", "xml"], "unknown format `xml`"), (["-D", "N=1"], "N"), (["-o", "/nowhere/x"], "no folder")]
)
def test_mistakes(words: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files(tmp_path), *words]) == 2
    assert why in capsys.readouterr().err


def test_a_witness_is_followed_with_its_choices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    choosing = body("choose { skip; } or { y = true; } assert n: !y;") + " expect violated assert.n;"
    mended = body("choose { skip; } or { y = true; } y = false; assert n: !y;")
    assert main(["compare", *files(tmp_path, choosing, mended), "--format", "json", "--no-cache"]) == 0
    (course,) = json.loads(capsys.readouterr().out)["courses"]
    assert (course["taken"], course["steps"], [gap["kind"] for gap in course["gaps"]]) == (3, 3, ["own"])
    assert course["end"] == "behind its last step assert.n is not violated"
