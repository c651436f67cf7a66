"""Proof records: what is written is read back and stands; whatever is tampered with is caught, and said by its name."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from formal.certificates import solvers
from formal.certificates.making import certify
from formal.certificates.record import file_name, read, render
from formal.certificates.solvers import SOLVERS, Solver
from formal.cli import main
from formal.frontend import load
from formal.invariant import read_clause
from formal.pipeline import Request, prove, select
from formal.recorded import BadRecord
from formal.smt.scripts import ask_z3

ROOT = Path(__file__).resolve().parent.parent
COUNTED = """protocol counted "two threads and a counter under a lock";
param TIMES in 1..2 = 1;
mutex L;
0..4 x = 0;
bool done = false;

thread more { with L { x = x + TIMES; x = x - TIMES; } }
thread less { with L { x = x + 1; x = x - 1; } done = true; }

invariant small: x <= TIMES;
liveness ends: eventually done;
deadlock free;
expect proved;
"""
CROSSED = """protocol crossed "two locks, the wrong way round";
mutex disk;
mutex graph;
thread reader { lock disk; lock graph; unlock graph; unlock disk; }
thread writer { lock graph; lock disk; unlock disk; unlock graph; }
deadlock free;
expect violated deadlock.global;
expect violated deadlock.lock_order;
"""
HELD = "L.owner in {more} || more.at in {finished, more:7.enter}"
HOLDER = "L.owner not in {more} || more.at in {more:7, more:7#2, more:7.leave}"
FREE = "L.owner not in {none} || x in {0}"
DONE = "done || less.at not in {not_spawned, finished}"
INVARIANT = (  # of counted.dsl; without any one of these it is no proof
    "L.owner in {less} || less.at in {finished, less:8.enter, less:8#3}",
    "L.owner not in {less} || less.at in {less:8, less:8#2, less:8.leave}",
    HELD,
    HOLDER,
    FREE,
    DONE,
    "less.at not in {not_spawned, less:8, less:8.leave} || x in {0}",
    "less.at not in {not_spawned, less:8#2} || x in {1}",
    "more.at in {finished, more:7.enter, more:7#2} || x in {0}",
    "more.at not in {not_spawned, more:7#2} || x in {1}",
)
RANKING = [  # of liveness.ends; without any one of these it is no proof
    "less.at in {less:8#3} => 0 less",
    "less.at in {less:8.leave} => 1 less",
    "less.at in {less:8#2} => 2 less",
    "L.owner in {less} => 3 less",
    "more.at in {finished} => 4 less",
    "more.at in {more:7.leave} => 5 more",
    "more.at in {more:7#2} => 6 more",
    "L.owner in {more} => 7 more",
    "=> 8 more",
    "=> not owed",
]
MODELS = {"counted.dsl": COUNTED, "crossed.dsl": CROSSED}


def save(model: str, folder: str, by_hand: Sequence[str] = (), **defines: str) -> Path:
    """Prove a model and write its record down, with an invariant by hand or with one that was learned."""
    program = load(model, defines).program
    assert program is not None
    report = prove(program, Request(select(program, ())[0], engine="explicit", defines=defines)).report
    certificate = certify(program, report)
    invariant = tuple(map(read_clause, by_hand)) or certificate.invariant
    path = Path(folder) / file_name(report)
    path.parent.mkdir(exist_ok=True)
    path.write_text(render(report, invariant, certificate.proves, certificate.states, certificate.uncertified, certificate.rankings))
    return path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models and their records."""
    folder = tmp_path_factory.mktemp("records")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, text in MODELS.items():
            Path(name).write_text(text)
            save(name, "proofs", INVARIANT if name == "counted.dsl" else ())
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, which is the current folder."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Document = dict[str, Any]
Tamper = Callable[[Document], object]
Ask = Callable[[str], tuple[str, str]]
Stub = Callable[[str, Ask], None]


def tamper(name: str, change: Tamper) -> str:
    """The path of a record after a change of it."""
    path = Path("proofs") / name
    document = json.loads(path.read_text())
    before = copy.deepcopy(document)
    change(document)
    assert json.dumps(document) != json.dumps(before)
    path.write_text(json.dumps(document))
    return str(path)


def recheck(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["recheck", *words])
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    return code, told.out, told.err


# ---------------------------------------------------------------- what is written


def test_a_record_stands_with_every_solver(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {one.name for one in SOLVERS.values() if one.version} == {"z3", "cvc5", "bitwuzla"}
    code, out, err = recheck(capsys, "proofs/counted.json", "proofs/crossed.json")
    assert (code, err) == (0, "")
    assert out.count(": stands\n") == 2
    assert out.count("unsat") == 27  # three obligations for each invariant and for the ranking, three solvers
    assert "  ranking of liveness.ends, 10 rules\n    owed         z3: unsat (" in out
    assert "not rechecked" not in out
    assert "witness of deadlock.global: followed for 2 steps, to the violation" in out


def test_the_document_says_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = recheck(capsys, "proofs/counted.json", "--solver", "z3", "--format", "json")
    found = json.loads(out)
    assert (code, found["state"], found["stands"], found["problems"]) == (0, "stands", True, [])
    assert [(one["script"], one["solver"], one["said"]) for one in found["obligations"]] == [
        ("initiation", "z3", "unsat"),
        ("consecution", "z3", "unsat"),
        ("safety", "z3", "unsat"),
        ("liveness.ends: owed", "z3", "unsat"),
        ("liveness.ends: progress", "z3", "unsat"),
        ("liveness.ends: helpful", "z3", "unsat"),
    ]
    assert found["not_rechecked"] == {}
    assert main(["recheck", "proofs/crossed.json", "proofs/counted.json", "--solver", "z3", "--format", "json", "-o", "out.json"]) == 0
    assert [one["witnesses"] for one in json.loads(Path("out.json").read_text())] == [{"deadlock.global": 2, "deadlock.lock_order": 2}, {}]


def test_the_same_proof_gives_the_same_bytes(here: Path) -> None:
    for folder in ("once", "again"):
        command = [sys.executable, "-m", "formal", "prove", "crossed.dsl", "--engine", "explicit", "--save", folder, "--quiet"]
        assert subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60).returncode == 1
    assert Path("once/crossed.json").read_bytes() == Path("again/crossed.json").read_bytes()


def test_parameters_are_in_the_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save("counted.dsl", "proofs", TIMES="2")
    assert path.name == "counted-TIMES=2.json"
    assert read(path.read_text()).command("proofs") == "formal prove counted.dsl -D TIMES=2 --save proofs"
    assert recheck(capsys, str(path), "--solver", "z3")[0] == 0


def test_what_is_written_can_be_read_as_text(here: Path) -> None:
    lines = (here / "proofs" / "counted.json").read_text().splitlines()
    assert '   "L.owner not in {none} || x in {0}",' in lines
    assert not any("seconds" in line or "warnings" in line for line in lines)
    record = read((here / "proofs" / "counted.json").read_text())
    assert record.invariant is not None
    assert record.parameters == {"TIMES": "1"}
    assert json.loads((here / "proofs" / "counted.json").read_text())["rankings"] == {"liveness.ends": RANKING}
    assert record.uncertified == {}


def test_what_was_remembered_is_recorded_like_the_rest(here: Path) -> None:
    program = load("crossed.dsl", {}).program
    assert program is not None
    report = prove(program, Request(select(program, ())[0], engine="explicit")).report
    again = replace(report, properties=tuple(replace(one, then=1.5) for one in report.properties))
    assert render(again, None, (), None, {}) == render(report, None, (), None, {})


def test_a_record_of_liveness_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("ends.dsl").write_text("protocol ends; bool done; liveness ends: eventually done; thread t { skip; done = true; }\n")
    path = save("ends.dsl", "proofs")
    code, out, _ = recheck(capsys, str(path), "--solver", "z3")
    assert code == 0
    assert "ranking of liveness.ends, 3 rules" in out
    assert rows(capsys, "ends.dsl", "--proofs", "proofs")[1]["ends.dsl"]["how"] == "rechecked"


def test_replay_reads_a_record(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "proofs/crossed.json"]) == 0
    assert "No thread can move" in capsys.readouterr().out


def test_scripts_for_other_solvers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recheck(capsys, "proofs/counted.json", "--solver", "z3", "--smtlib", "deep/down")[0] == 0
    found = sorted((here / "deep" / "down").iterdir())
    names = ["consecution", "initiation", *(f"liveness.ends.{which}" for which in ("helpful", "owed", "progress")), "safety"]
    assert [path.name for path in found] == [f"counted.{name}.smt2" for name in names]
    for path in found:
        text = path.read_text()
        assert text.startswith("; counted (sha256:")
        assert text.count("(check-sat)") == 1
        assert ask_z3(text)[0] == "unsat"


# ---------------------------------------------------------------- what is tampered with


def drop(text: str) -> Tamper:
    """Without the clause."""
    return lambda document: document["invariant"]["clauses"].remove(text)


def swap(old: str, new: str) -> Tamper:
    """Another clause in the place of one."""

    def change(document: Document) -> None:
        clauses = document["invariant"]["clauses"]
        clauses[clauses.index(old)] = new

    return change


def add(text: str) -> Tamper:
    return lambda document: document["invariant"]["clauses"].append(text)


def rank(place: int, text: str | None, name: str = "liveness.ends") -> Tamper:
    """Another rule in the place of one, or none at all."""

    def change(document: Document) -> None:
        document["rankings"][name][place : place + 1] = [] if text is None else [text]

    return change


def unranked(document: Document) -> None:
    """As if no ranking had been found."""
    document.update(rankings={}, uncertified={"liveness.ends": "no ranking: the time was up"})
    claim("liveness.ends", certificate=None)(document)


def claim(name: str, **fields: Any) -> Tamper:
    """What is said of one property, changed."""
    return lambda document: next(one for one in document["properties"] if one["name"] == name).update(fields)


def both(*changes: Tamper) -> Tamper:
    return lambda document: [change(document) for change in changes]


def witness(change: Callable[[Any], object]) -> Tamper:
    return lambda document: change(next(one["witness"] for one in document["properties"] if one["name"] == "deadlock.global"))


def without_property(name: str) -> Tamper:
    def change(document: Document) -> None:
        document["properties"] = [one for one in document["properties"] if one["name"] != name]

    return change


def shorten(found: Any) -> None:
    del found["steps"][-1]
    found["length"] -= 1


WIDER = HOLDER.replace("more:7,", "more:7.enter, more:7,")
DIFFERS: list[tuple[str, str, Tamper, str]] = [
    ("a clause dropped", "counted.json", drop(HOLDER), "safety: the invariant allows a violation of what it is to prove, says z3"),
    ("another clause dropped", "counted.json", drop(HELD), "consecution: some step leads out of the invariant, says z3"),
    ("a clause widened", "counted.json", swap(HOLDER, WIDER), "safety: the invariant allows a violation"),
    ("a clause narrowed", "counted.json", swap(FREE, "x in {0}"), "consecution: some step leads out of the invariant, says z3"),
    ("a clause `false`", "counted.json", add("false"), "initiation: the first state does not have the invariant, says z3"),
    ("no clause left", "counted.json", lambda one: one["invariant"].update(clauses=[]), "safety: the invariant allows a violation"),
    ("an unknown part", "counted.json", add("y in {1}"), "what is not there: there is no `y` in this model"),
    ("an unknown value", "counted.json", add("x in {9}"), "what is not there: `x` is never `9`"),
    ("no value", "counted.json", add("x in {}"), "what is not there: `x` is never ``"),
    (
        "another digest",
        "counted.json",
        lambda one: one.update(digest="sha256:0"),
        "stale\n  counted.dsl has changed since this was recorded",
    ),
    ("another parameter", "counted.json", lambda one: one["parameters"].update(TIMES=2), "stale"),
    ("a property removed", "counted.json", without_property("invariant.small"), "invariant.small is a property of the model, and not in"),
    (
        "a property added",
        "counted.json",
        lambda one: one["properties"].append({**one["properties"][0], "name": "y"}),
        "y is not a property",
    ),
    (
        "a violation said to be proved",
        "crossed.json",
        claim("deadlock.global", verdict="proved", witness=None, depth=None),
        "deadlock.global is proved, says the record, and nothing in it shows how",
    ),
    (
        "a violation said to be proved by the invariant",
        "crossed.json",
        both(
            claim("deadlock.global", verdict="proved", witness=None, depth=None, certificate="invariant"),
            lambda one: one["invariant"]["proves"].append("deadlock.global"),
        ),
        "safety: the invariant allows a violation of what it is to prove, says z3",
    ),
    (
        "liveness by an invariant",
        "counted.json",
        both(
            claim("liveness.ends", certificate="invariant"),
            lambda one: one.update(rankings={}),
            lambda one: one["invariant"]["proves"].append("liveness.ends"),
        ),
        "liveness.ends is liveness: no invariant proves that",
    ),
    ("shown twice", "counted.json", lambda one: one["uncertified"].update(range="so"), "range is proved, says the record, and two things"),
    (
        "proves nothing known",
        "counted.json",
        lambda one: one["invariant"]["proves"].append("magic"),
        "`proves` names magic, which is not a",
    ),
    ("proves what is violated", "crossed.json", lambda one: one["invariant"]["proves"].append("deadlock.global"), "which is not proved"),
    ("uncertified nothing known", "counted.json", lambda one: one["uncertified"].update(magic="so"), "`uncertified` names magic"),
    ("a proof to a depth", "counted.json", claim("range", depth=7), "range is proved, says the record, and to a depth"),
    ("another kind", "counted.json", claim("range", kind="assert"), "range is not what the record says it is"),
    ("another title", "counted.json", lambda one: one.update(title="t"), "its title is not `t`, but `two threads"),
    ("no assumptions", "counted.json", lambda one: one.update(assumptions=[]), "its assumptions is not none, but liveness: weak"),
    ("a better verdict", "crossed.json", lambda one: one.update(verdict="proved"), "its verdict is not proved, but violated"),
    ("no certificate", "counted.json", claim("range", certificate=None), "range has a certificate, or has none"),
    (
        "a witness shortened",
        "crossed.json",
        both(witness(shorten), claim("deadlock.global", depth=1)),
        "deadlock.global: its witness differs after 1 of 1 steps",
    ),
    ("a witness's length", "crossed.json", claim("deadlock.global", depth=3), "violated after 3 steps, says the record, and shows 2"),
    (
        "a step by another thread",
        "crossed.json",
        witness(lambda one: one["steps"][0].update(thread="nobody")),
        "differs after 0 of 2 steps: the record says nobody: lock",
    ),
    (
        "a step's changes",
        "crossed.json",
        witness(lambda one: one["steps"][1].update(changes={})),
        "differs after 1 of 2 steps",
    ),
    (
        "a step's stack",
        "crossed.json",
        witness(lambda one: one["steps"][1].update(stack=["main"])),
        "deadlock.global: its witness is told differently, at step 2 (stack)",
    ),
    (
        "a rank",
        "counted.json",
        rank(4, "more.at in {finished} => 6 less"),
        "liveness.ends: progress: some step takes the goal further away",
    ),
    (
        "a helper",
        "counted.json",
        rank(5, "more.at in {more:7.leave} => 5 less"),
        "liveness.ends: helpful: the goal is owed in some state where its helper cannot move, says z3",
    ),
    (
        "a rule that says that nothing is owed",
        "counted.json",
        rank(8, "=> not owed"),
        "liveness.ends: owed: the goal is owed in some state where the ranking says that it is not, says z3",
    ),
    (
        "no last rule",
        "counted.json",
        both(rank(9, None), rank(8, None)),
        "the ranking of liveness.ends: its last rule is not for all other",
    ),
    ("no rule", "counted.json", lambda one: one["rankings"].update({"liveness.ends": []}), "its last rule is not for all other states"),
    (
        "a weak helper on an outer level",
        "counted.json",
        rank(8, "=> 8 more, 0 less"),
        "rule 9: more is only weakly fair, and has other levels",
    ),
    ("a helper that is no thread", "counted.json", rank(8, "=> 8 most"), "rule 9: there is no thread `most`"),
    (
        "a part that is none",
        "counted.json",
        rank(3, "K.owner in {less} => 3 less"),
        "the ranking of liveness.ends speaks of what is not there: there is no `K.owner` in this model",
    ),
    (
        "a ranking of nothing known",
        "counted.json",
        lambda one: one["rankings"].update(magic=RANKING),
        "`rankings` names magic, which is not a",
    ),
    (
        "a ranking of what is not liveness",
        "counted.json",
        both(lambda one: one["rankings"].update(range=RANKING), lambda one: one["invariant"]["proves"].remove("range")),
        "range is not liveness: no ranking proves that",
    ),
    (
        "a ranking without an invariant",
        "counted.json",
        lambda one: one.update(invariant=None),
        "it has rankings, and no invariant for them to rest on",
    ),
    (
        "ranked and not",
        "counted.json",
        lambda one: one["uncertified"].update({"liveness.ends": "so"}),
        "liveness.ends is proved, says the record, and two",
    ),
    ("no ranking", "counted.json", lambda one: one.update(rankings={}), "liveness.ends is proved, says the record, and nothing"),
    ("an explanation", "crossed.json", witness(lambda one: one.update(explanation="magic")), "told differently, explanation"),
]


@pytest.mark.parametrize(("name", "change", "message"), [row[1:] for row in DIFFERS], ids=[row[0] for row in DIFFERS])
def test_a_record_that_differs(here: Path, capsys: pytest.CaptureFixture[str], name: str, change: Tamper, message: str) -> None:
    code, out, err = recheck(capsys, tamper(name, change), "--solver", "z3")
    assert (code, err) == (1, "")
    assert message in out


BAD: list[tuple[str, Tamper, str]] = [
    ("another version", lambda one: one.update(record=5), "a record of version 5; this is a reader of versions 1, 2, 3, 4"),
    ("a version with more to say", lambda one: one.update(record=3), "`family` is missing"),
    ("an older version", lambda one: one.update(record=1), "`rankings` is not in such a record"),
    ("a rule that is none", rank(1, "x = 1 => 1 less"), "rule 2 of the ranking of liveness.ends is not a literal: `x = 1`"),
    ("a rank that is none", rank(1, "=> -1 less"), "rule 2 of the ranking of liveness.ends is not a rank and a thread: `-1 less`"),
    ("a rule spelled otherwise", rank(1, "=>  1 less"), "rule 2 of the ranking of liveness.ends is"),
    ("rankings that are none", lambda one: one.update(rankings=None), "`rankings` is not an object"),
    (
        "a ranking that is none",
        lambda one: one["rankings"].update({"liveness.ends": "x"}),
        '`rankings.liveness.ends` is `"x"`, which is not a list',
    ),
    ("a version that is none", lambda one: one.update(record=True), "a record of version True"),
    ("a field missing", lambda one: one.pop("uncertified"), "`uncertified` is missing"),
    ("a field too much", lambda one: one.update(seconds=1), "`seconds` is not in such a record"),
    ("a field of another kind", lambda one: one.update(model=7), "`model` is `7`, which is not a text"),
    ("a truth for a number", claim("range", depth=True), "`properties[2].depth` is `true`, which is not a whole number"),
    ("no object", lambda one: one["properties"].append(1), "properties[8] is not an object"),
    ("a verdict that is none", claim("range", verdict="fine"), "`fine`, which is not a verdict"),
    ("violated, and no witness", claim("range", verdict="violated"), "range is violated, and has no witness"),
    ("a property twice", lambda one: one["properties"].append(one["properties"][0]), "has the property relock twice"),
    ("a clause that is none", add("x = 1"), "clause 11 of the invariant is not a literal: `x = 1`"),
    ("a clause spelled otherwise", add("x in {0,1}"), "clause 11 of the invariant is not spelled as `x in {0, 1}`"),
    ("a bounded search", lambda one: one.update(depth=5), "its search was bounded"),
    ("a name that is no text", lambda one: one["invariant"]["proves"].append(1), "`invariant.proves` has `1` in it"),
]


@pytest.mark.parametrize(("change", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_no_record(here: Path, capsys: pytest.CaptureFixture[str], change: Tamper, message: str) -> None:
    code, out, err = recheck(capsys, tamper("counted.json", change))
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.35, 0.6, 0.85, 0.999])
def test_a_truncated_record(here: Path, capsys: pytest.CaptureFixture[str], share: float) -> None:
    text = Path("proofs/crossed.json").read_text()
    Path("cut.json").write_text(text.rstrip()[: int(len(text.rstrip()) * share)])
    code, _, err = recheck(capsys, "cut.json")
    assert code == 2
    assert "cut.json is not a proof record: it is not a JSON document" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "the document is not an object"),
        ('{"record": 1, "record": 1}', "`record` twice"),
        ('{"record": NaN}', "`NaN` for a number"),
        ("[" * 100_000, "not a JSON document"),
        ("{}", "`record` is missing"),
    ],
)
def test_no_record_at_all(text: str, message: str) -> None:
    with pytest.raises(BadRecord, match=message):
        read(text)


def test_comparisons_are_left_out_and_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("proofs/one--other.compare.json").write_text("{}")
    code, out, err = recheck(capsys, "proofs/counted.json", "proofs/one--other.compare.json", "--solver", "z3")
    assert (code, out.count(": stands")) == (0, 1)
    assert err == "note: 1 comparison left out; `formal regress` holds those to their models\n"
    code, _, err = recheck(capsys, "proofs/one--other.compare.json")
    assert code == 2
    assert "there are only comparisons here" in err


def test_a_report_is_not_a_record(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["prove", "counted.dsl", "--format", "json", "-o", "report.json"])
    assert recheck(capsys, "report.json")[0] == 2
    assert recheck(capsys, "counted.dsl")[0] == 2
    assert recheck(capsys, "nowhere.json")[0] == 2
    Path("latin.json").write_bytes(b"\xff")
    assert "not a text in UTF-8" in recheck(capsys, "latin.json")[2]


@pytest.mark.parametrize("place", range(len(RANKING) - 1))
def test_each_rule_is_needed(here: Path, capsys: pytest.CaptureFixture[str], place: int) -> None:
    assert recheck(capsys, tamper("counted.json", rank(place, None)), "--solver", "z3")[0] == 1


def test_a_record_of_the_first_version_is_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def older(document: Document) -> None:
        unranked(document)
        document["record"] = 1
        del document["rankings"]

    code, out, _ = recheck(capsys, tamper("counted.json", older), "--solver", "z3")
    assert code == 0
    assert "not rechecked: liveness.ends (no ranking: the time was up)" in out


@pytest.mark.parametrize("clause", INVARIANT)
def test_each_clause_is_needed(here: Path, capsys: pytest.CaptureFixture[str], clause: str) -> None:
    assert recheck(capsys, tamper("counted.json", drop(clause)), "--solver", "z3")[0] == 1


# ---------------------------------------------------------------- a model that has changed, or is gone


def test_a_stale_record_is_never_held_against_the_changed_model(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("counted.dsl").write_text(COUNTED + "// a word more\n")
    code, out, _ = recheck(capsys, "proofs/counted.json")
    assert code == 1
    assert "stale" in out
    assert "`formal prove counted.dsl --save proofs` records it anew" in out
    assert "unsat" not in out
    Path("counted.dsl").unlink()
    assert recheck(capsys, "proofs/counted.json")[0] == 2


def test_a_record_that_shows_nothing_is_no_success(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def nothing(document: Document) -> None:
        document.update(invariant=None, rankings={})
        for one in document["properties"]:
            one["certificate"] = None
            document["uncertified"][one["name"]] = "no time"

    code, out, _ = recheck(capsys, tamper("counted.json", nothing))
    assert code == 3
    assert "nothing in it can be rechecked" in out
    assert "not rechecked: range (no time)" in out


# ---------------------------------------------------------------- solvers that disagree, break down, or aren't there


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Adds a solver."""
    found = dict(SOLVERS)
    monkeypatch.setattr(solvers, "SOLVERS", found)

    def add(name: str, ask: Ask) -> None:
        found[name] = Solver(name, "z3-solver", "z3", ask)

    return add


def answer_always(word: str, reason: str, text: str) -> tuple[str, str]:
    return word, reason


def says(word: str, reason: str = "") -> Ask:
    """A solver that says the same to everything."""
    return partial(answer_always, word, reason)


def crash(text: str) -> tuple[str, str]:
    raise ValueError("out of luck")


def killed(text: str) -> tuple[str, str]:
    os.kill(os.getpid(), signal.SIGKILL)
    return "", ""


def hang(text: str) -> tuple[str, str]:
    time.sleep(60)
    return "unsat", ""


def test_solvers_that_contradict_each_other(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub) -> None:
    stub("liar", says("sat"))
    code, out, _ = recheck(capsys, "proofs/counted.json", "--solver", "z3", "--solver", "liar")
    assert code == 4
    assert "disagreement" in out
    assert "initiation: the solvers contradict each other: sat says liar, unsat says z3" in out
    stub("yes", says("unsat"))
    assert recheck(capsys, tamper("counted.json", add("false")), "--solver", "z3", "--solver", "yes")[0] == 4


def test_all_states_are_a_third_opinion(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub) -> None:
    code, out, _ = recheck(capsys, "proofs/counted.json", "proofs/crossed.json", "--explore")
    assert code == 0
    assert out.count("reachable states have the invariant, and violate nothing that it proves") == 2
    code, out, _ = recheck(capsys, "proofs/counted.json", "--explore", "10")
    assert code == 0
    assert "its states were not gone through: it has more than 10 states" in out
    _, out, _ = recheck(capsys, "proofs/counted.json", "--explore", "--format", "json")
    assert json.loads(out)["explored"]["states"] > 10


def test_states_that_contradict_solvers(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub) -> None:
    stub("yes", says("unsat"))
    path = tamper("counted.json", add("x in {0}"))
    assert recheck(capsys, path, "--solver", "yes")[0] == 0
    code, out, _ = recheck(capsys, path, "--solver", "yes", "--explore")
    assert code == 4
    assert "disagreement" in out
    assert "a reachable state does not have x in {0}" in out
    assert recheck(capsys, path, "--solver", "z3", "--explore")[0] == 1  # the solver has found it out


def test_states_are_not_asked_about_what_is_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = recheck(capsys, tamper("counted.json", add("magic in {0}")), "--explore")
    assert code == 1
    assert "there is no `magic` in this model" in out


def test_states_that_contradict_what_is_proved(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub) -> None:
    stub("yes", says("unsat"))
    violated = both(
        claim("deadlock.global", verdict="proved", depth=None, certificate="invariant", witness=None),
        lambda one: one["invariant"]["proves"].append("deadlock.global"),
    )
    code, out, _ = recheck(capsys, tamper("crossed.json", violated), "--solver", "yes", "--explore")
    assert code == 4
    assert "deadlock.global is violated after 2 steps" in out


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (says("unknown", "too hard"), "too hard"),
        (says("unknown"), "it does not say why"),
        (says("maybe"), "it says `maybe`"),
        (crash, "it broke down: ValueError: out of luck"),
        (killed, "it broke down: killed by SIGKILL"),
    ],
)
def test_a_solver_that_does_not_decide(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub, ask: Ask, reason: str) -> None:
    stub("weak", ask)
    code, out, _ = recheck(capsys, "proofs/counted.json", "--solver", "weak")
    assert code == 3
    assert f"safety: nobody knows: weak: {reason}" in out
    code, out, _ = recheck(capsys, "proofs/counted.json", "--solver", "weak", "--solver", "z3")
    assert code == 0
    assert f"weak: unknown ({reason})" in out


def test_a_solver_that_hangs_is_ended(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub) -> None:
    stub("slow", hang)
    begun = time.monotonic()
    code, out, _ = recheck(capsys, "proofs/counted.json", "--solver", "slow", "--timeout", "0.5")
    assert code == 3
    assert "consecution: nobody knows: slow: out of time" in out
    assert time.monotonic() - begun < 10


def test_a_solver_that_is_not_installed_is_named(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solvers, "SOLVERS", {**SOLVERS, "cvc5": Solver("cvc5", "no-such-package", "cvc5", crash)})
    code, out, _ = recheck(capsys, "proofs/crossed.json")
    assert code == 0
    assert "cvc5 is not installed (`pip install no-such-package`)" in out
    code, _, err = recheck(capsys, "proofs/crossed.json", "--solver", "cvc5")
    assert code == 2
    assert "`pip install no-such-package` installs it" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--solver", "magic"], "unknown solver `magic`"),
        (["--format", "xml"], "the formats are text, json"),
        (["-o", "no/where"], "there is no folder no"),
        (["--smtlib", "counted.dsl"], "counted.dsl"),
        (["copy/counted.json", "--smtlib", "out"], "two of the records are called counted"),
        (["--timeout", "0"], "a positive number of seconds"),
    ],
)
def test_bad_usage(here: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    shutil.copytree("proofs", "copy")
    code, out, err = recheck(capsys, "proofs/counted.json", *words)
    assert (code, out) == (2, "")
    assert message in err


# ---------------------------------------------------------------- regress, with records


def regress(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["regress", *words])
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    return code, told.out


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code, out = regress(capsys, *words, "--format", "json")
    return code, {row["file"]: row for row in json.loads(out)["models"]}


def states(found: dict[str, Any]) -> dict[str, str]:
    return {name: row["state"] for name, row in found.items()}


def test_what_a_record_shows_is_not_proved_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save("counted.dsl", "proofs", TIMES="2")
    tamper("counted.json", unranked)
    code, found = rows(capsys, ".", "--proofs", "proofs")
    assert code == 0
    assert {name: (row["verdict"], row["how"], row["record"]) for name, row in found.items()} == {
        "counted.dsl": ("proved", "rechecked, 1 proved again", "proofs/counted.json"),
        "proofs/counted-TIMES=2.json": ("proved", "rechecked", "proofs/counted-TIMES=2.json"),
        "crossed.dsl": ("violated", "rechecked", "proofs/crossed.json"),
    }
    code, out = regress(capsys, ".", "--proofs", "proofs")
    assert code == 0
    assert "2 models and 1 record: 3 as recorded" in out
    assert "proved (rechecked, 1 proved again)" in out
    assert out.rstrip().splitlines()[-1].startswith("solvers: z3 ")


def test_a_record_that_stood_is_not_asked_about_again(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub) -> None:
    words = (".", "--proofs", "proofs", "--cache", "seen")
    assert {row["how"] for row in rows(capsys, *words)[1].values()} == {"rechecked"}
    assert {row["how"] for row in rows(capsys, *words)[1].values()} == {"rechecked before"}
    code, found = rows(capsys, ".", "--proofs", "proofs", "--no-cache")
    assert (code, {row["how"] for row in found.values()}) == (0, {"rechecked"})
    tamper("counted.json", drop(FREE))
    code, found = rows(capsys, *words)
    assert (code, states(found)) == (1, {"counted.dsl": "differs", "crossed.dsl": "as recorded"})
    code, found = rows(capsys, *words)  # what does not stand is looked at each time
    assert (code, found["counted.dsl"]["state"], found["counted.dsl"]["how"]) == (1, "differs", "rechecked")
    stub("yes", says("unsat"))  # another solver has not said anything yet
    assert rows(capsys, *words)[1]["crossed.dsl"]["how"] == "rechecked"


def test_without_records_all_is_proved(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("proofs")
    code, found = rows(capsys, ".")
    assert code == 0
    assert {(row["how"], row["record"]) for row in found.values()} == {("proved", None)}
    assert "solvers:" not in regress(capsys, ".")[1]


def test_the_folder_is_found_where_no_path_is_given(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("models").mkdir()
    Path("counted.dsl").rename("models/counted.dsl")
    shutil.rmtree("proofs")
    assert rows(capsys)[1]["models/counted.dsl"]["how"] == "proved"
    save("models/counted.dsl", "proofs", INVARIANT)
    assert rows(capsys)[1]["models/counted.dsl"]["how"] == "rechecked"
    assert rows(capsys, "-D", "TIMES=1")[1]["models/counted.dsl"]["how"] == "proved"
    assert rows(capsys, "models")[1]["models/counted.dsl"]["how"] == "rechecked"


def test_records_of_the_models_that_are_named_are_rechecked_and_no_other_is_missed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("proofs/crossed.json").unlink()
    code, found = rows(capsys, "counted.dsl", "crossed.dsl")
    assert (code, {name: row["how"] for name, row in found.items()}) == (0, {"counted.dsl": "rechecked", "crossed.dsl": "proved"})
    assert rows(capsys, str(here / "counted.dsl"))[1][str(here / "counted.dsl")]["state"] == "as recorded"
    tamper("counted.json", drop(HOLDER))
    code, found = rows(capsys, "crossed.dsl")
    assert (code, states(found)) == (0, {"crossed.dsl": "as recorded"})
    code, found = rows(capsys, "counted.dsl")
    assert (code, states(found)) == (1, {"counted.dsl": "differs"})


def test_missing_stale_stray_and_unreadable_records(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("proofs/crossed.json").unlink()
    save("counted.dsl", "proofs", TIMES="2")
    Path("counted.dsl").write_text(COUNTED + "// a word more\n")
    code, found = rows(capsys, ".", "--proofs", "proofs")
    assert (code, states(found)) == (1, {"counted.dsl": "stale", "proofs/counted-TIMES=2.json": "stale", "crossed.dsl": "missing"})
    assert (found["counted.dsl"]["how"], found["counted.dsl"]["verdict"]) == ("proved again", "proved")
    assert "`formal prove counted.dsl --save proofs` records it anew" in found["counted.dsl"]["problems"][0]
    assert "`formal prove counted.dsl -D TIMES=2 --save proofs`" in found["proofs/counted-TIMES=2.json"]["problems"][0]
    assert found["crossed.dsl"]["problems"] == ["it has no record; `formal prove crossed.dsl --save proofs` makes one"]

    Path("counted.dsl").unlink()
    code, found = rows(capsys, ".", "--proofs", "proofs")
    assert (code, found["proofs/counted.json"]["state"]) == (1, "no model")
    assert found["proofs/counted.json"]["problems"] == ["its model counted.dsl is not there any more"]

    Path("counted.dsl").write_text(COUNTED)
    Path("proofs/cut.json").write_text('{"record": 1')
    code, found = rows(capsys, "crossed.dsl", "--proofs", "proofs")
    assert (code, states(found)["proofs/cut.json"], states(found)["proofs/counted.json"]) == (2, "bad record", "no model")
    assert found["proofs/counted.json"]["problems"] == ["its model counted.dsl is not below crossed.dsl"]


def test_a_record_that_does_not_stand_differs(here: Path, capsys: pytest.CaptureFixture[str], stub: Stub) -> None:
    tamper("counted.json", drop(HOLDER))
    code, found = rows(capsys, ".", "--proofs", "proofs")
    assert (code, states(found)) == (1, {"counted.dsl": "differs", "crossed.dsl": "as recorded"})
    told = found["counted.dsl"]["problems"]
    assert told[0] == "proofs/counted.json: safety: the invariant allows a violation of what it is to prove, says z3 and cvc5 and bitwuzla"
    stub("yes", says("unsat"))
    assert states(rows(capsys, ".", "--proofs", "proofs")[1])["counted.dsl"] == "internal error"


def test_recorded_verdicts_are_held_against_the_expectation(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("crossed.dsl").write_text(CROSSED.replace("expect violated deadlock.global;", "expect violated deadlock.global within 1;"))
    save("crossed.dsl", "proofs")
    code, found = rows(capsys, "crossed.dsl", "counted.dsl", "--proofs", "proofs")
    assert (code, states(found)) == (1, {"crossed.dsl": "differs", "counted.dsl": "as recorded"})
    assert found["crossed.dsl"]["problems"] == ["deadlock.global is expected to be violated within 1 steps, and takes 2"]
    assert found["crossed.dsl"]["how"] == "rechecked"


def test_what_comes_out_otherwise_when_it_is_proved_again_differs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def pretend(document: Document) -> None:
        claim("deadlock.global", verdict="proved", witness=None, depth=None)(document)
        document["uncertified"]["deadlock.global"] = "no time"

    tamper("crossed.json", pretend)
    code, found = rows(capsys, ".", "--proofs", "proofs")
    assert (code, found["crossed.dsl"]["state"]) == (1, "differs")
    assert found["crossed.dsl"]["problems"][0] == "deadlock.global is recorded as proved, and is violated"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-D", "TIMES=2"], "--proofs goes without -D"),
        (["--proofs", "nowhere"], "no such folder"),
        (["--proofs", "counted.dsl"], "no such"),
    ],
)
def test_bad_usage_of_regress(here: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["regress", ".", "--proofs", "proofs", *words]) == 2
    assert message in capsys.readouterr().err
