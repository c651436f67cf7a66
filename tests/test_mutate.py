"""`formal mutate`: the mutants of a model, and what becomes of each."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from formal.cli import main
from formal.diagnostics import InternalError
from formal.executor.calls import PROCESSES
from formal.executor.crew import Crew, crew
from formal.fingerprint import fingerprint
from formal.frontend import load, load_text
from formal.mutants import questions, running
from formal.mutants.beside import Neighbour
from formal.mutants.bisimulation import same_in_steps, same_to_properties
from formal.mutants.explaining import explained, explanations
from formal.mutants.judging import Fate, Judge, graph_of
from formal.mutants.operators import Mutant, mutants
from formal.mutants.questions import Given, Question, Subject
from formal.mutants.running import Broke, Late, answers
from formal.mutants.study import NotProved, Plan, Study, study
from formal.program import Program
from formal.resources import schema_path
from formal.rewriting.admitting import Refused, admitted
from formal.rewriting.flattening import flat
from formal.rewriting.rebuilding import Changes, rebuilt

ROOT = Path(__file__).resolve().parent.parent
COUNTER = """protocol counter "two threads that count";
mutex L;
0..4 x = 0;
0..9 unseen = 0;
proc add() requires holds(L) {
    x = x + 1;
}
thread t[2] {
    lock L;
    add();
    unlock L;
    unseen = 0;
}
invariant few: x <= 2;
deadlock free;
"""


def program_of(text: str) -> Program:
    loaded = load_text(text)
    assert loaded.program is not None, [one.render() for one in loaded.diagnostics]
    return loaded.program


def fates(text: str, properties: Sequence[str] = ()) -> dict[str, Fate]:
    """By the name of each mutant."""
    program = flat(program_of(text))
    names = tuple(properties) or tuple(prop.name for prop in program.properties)
    kills, graph, reason = graph_of(program, names)
    assert (kills, reason) == ((), "")
    judge = Judge(program, names, graph)
    return {mutant.name: judge.judge(mutant) for mutant in mutants(program)}


def studied(text: str, sample: int | None = None, seed: int = 0) -> Study:
    program = program_of(text)
    return study(program, Plan(tuple(prop.name for prop in program.properties), 2, 20.0, sample, seed))


# ---------------------------------------------------------------- programs with something changed


@pytest.mark.parametrize("path", ["models/savevm_locked.dsl", "models/bugs/channels_ready_counts.dsl"])
def test_a_copy_means_the_same(path: str) -> None:
    program = load(str(ROOT / path)).program
    assert program is not None
    assert fingerprint(rebuilt(program, Changes())) == fingerprint(program)


def test_flat_bodies_have_no_blocks_without_locals() -> None:
    program = program_of("protocol f; const A = true; 0..1 x = 0; thread t { if (A) { x = 1; { skip; } } }")
    (thread,) = flat(program).threads
    assert [type(one).__name__ for one in thread.decl.body.statements] == ["Assign", "Skip"]


def test_a_block_with_a_local_is_kept() -> None:
    program = program_of("protocol f; thread t { { bool b = true; assert b; } skip; }")
    (thread,) = flat(program).threads
    assert [type(one).__name__ for one in thread.decl.body.statements] == ["Block", "Skip"]


@pytest.mark.parametrize(
    ("body", "name", "why"),
    [
        ("loop { skip; x = true; await x; }", "", ""),
        ("loop { x = true; }", "drop x = true in t", "without a step"),
        ("bool b = true; x = b; x = !b;", "swap bool b = true; x = b in t", "used where it is not declared"),
    ],
)
def test_what_the_front_end_would_refuse_is_refused(body: str, name: str, why: str) -> None:
    program = flat(program_of(f"protocol r; bool x = false; thread t {{ {body} }} invariant n: !x || x;"))
    refused = {}
    for mutant in mutants(program):
        try:
            admitted(rebuilt(program, mutant.changes))
        except Refused as error:
            refused[mutant.name] = str(error)
    assert (why in refused[name]) if name else not refused


def test_what_follows_from_bodies_follows_again() -> None:
    program = flat(program_of("protocol s; bool x = false; thread a { spawn b; } thread b { x = true; } invariant n: !x || x;"))
    (drop,) = [one for one in mutants(program) if one.name == "drop spawn b in a"]
    assert program.spawned == {1}
    assert admitted(rebuilt(program, drop.changes)).spawned == frozenset()


# ---------------------------------------------------------------- operators


def names_of(body: str) -> list[str]:
    program = flat(program_of(f"protocol o; mutex L; bool x = false; bool y = false; thread t {{ {body} }} deadlock free;"))
    return [mutant.name for mutant in mutants(program)]


def test_operators() -> None:
    assert names_of("lock L; unlock L;") == [
        "drop lock L in t",
        "duplicate lock L in t",
        "swap lock L; unlock L in t",
        "drop unlock L in t",
        "duplicate unlock L in t",
    ]
    assert names_of("with L { x = true; }")[0] == "drop with L in t"
    assert names_of("atomic { x = true; y = true; }")[0].startswith("take apart atomic {")
    assert [one for one in names_of("await x && y || x;") if "await" in one and ":" in one] == [
        "negate: await x && y || x in t",
        "without `x && y`: await x && y || x in t",
        "without `x`: await x && y || x in t",
    ]
    assert [one.partition(":")[0] for one in names_of("if (x) { skip; }")] == ["negate", "always", "never"]


def test_the_same_statement_twice_has_two_names() -> None:
    assert [one for one in names_of("x = true; x = false; x = true;") if one.startswith("drop x = true")] == [
        "drop x = true in t",
        "drop x = true (2) in t",
    ]


def test_a_label_stays_where_its_statement_goes() -> None:
    program = flat(program_of("protocol l; bool x = false; thread t { here: x = true; } invariant n: at(t, here) implies !x;"))
    (drop,) = [one for one in mutants(program) if one.operator == "drop"]
    (thread,) = admitted(rebuilt(program, drop.changes)).threads
    assert [type(one).__name__ for one in thread.decl.body.statements] == ["Skip"]


# ---------------------------------------------------------------- fates


def test_fates_of_a_counter() -> None:
    found = fates(COUNTER)
    assert found["drop lock L in t"].by == (("requires.add", 1),)
    assert found["drop unlock L in t"].state == "killed"
    assert found["duplicate lock L in t"].by == (("relock", 2),)
    assert found["duplicate x = x + 1 in add"].by == (("invariant.few", 8),)
    assert found["drop x = x + 1 in add"].state == "survives"
    assert found["duplicate unseen = 0 in t"] == Fate("equivalent", reason="what the properties speak of changes in the same ways")
    assert found["swap unlock L; unseen = 0 in t"].state == "equivalent"


def test_what_no_execution_reaches_is_equivalent() -> None:
    found = fates("protocol e; bool x = false; thread t { if (x) { x = false; } } invariant n: !x;")
    assert found["drop x = false in t"] == Fate("equivalent", reason="no execution reaches it")


def test_what_no_execution_reaches_may_matter_all_the_same() -> None:
    """Who could end a wait is told by the text; and a thread that nobody spawns runs from the start."""
    text = "protocol e; bool x = false; event E; thread t { wait E; } thread u { loop { if (x) { set E; } } } deadlock free;"
    assert fates(text)["drop set E in u"].by == (("deadlock.partial", 0),)
    text = "protocol e; bool x = false; bool y = false; thread t { if (x) { spawn u; } } thread u { y = true; } invariant n: !y;"
    assert fates(text)["drop spawn u in t"].by == (("invariant.n", 1),)
    text = text.replace("invariant n: !y", "invariant n: !x || y")
    assert fates(text)["drop spawn u in t"].state == "survives"


def test_the_same_steps_are_equivalent() -> None:
    found = fates("protocol e; bool x = false; bool y = false; thread t { atomic { x = true; y = true; } } invariant n: x == y;")
    assert found["swap x = true; y = true in t"] == Fate("equivalent", reason="the same steps of the same threads change the same values")
    assert found["take apart atomic { x = true; y = true; } in t"].by == (("invariant.n", 1),)


def test_an_unseen_change_is_equivalent_to_the_properties_alone() -> None:
    text = "protocol e; bool x = false; 0..3 y = 0; thread t { y = 1; x = true; y = 2; } invariant n: x || !x;"
    found = fates(text)
    assert found["drop y = 2 in t"] == Fate("equivalent", reason="what the properties speak of changes in the same ways")
    assert found["drop x = true in t"].state == "survives"


def test_a_loop_for_ever_is_told_from_an_end() -> None:
    text = "protocol e; bool x = false; bool y = false; thread t { while (y) { skip; } } invariant n: !x;"
    assert fates(text)["negate: while (y) in t"].state == "survives"


def test_that_it_may_go_on_for_ever_is_seen() -> None:
    bodies = ("loop { choose { skip; } or { break; } }", "skip; skip;", "skip;")
    programs = [program_of(f"protocol e; bool x = false; thread t {{ {body} }} invariant n: !x;") for body in bodies]
    endless, two, one = [graph for program in programs if (graph := graph_of(program, ("invariant.n",))[1]) is not None]
    assert not same_to_properties(endless, one)
    assert same_to_properties(two, one)
    assert not same_in_steps(two, one)


@pytest.mark.parametrize("path", ["models/classic/abba_ordered.dsl", "models/bugs/dirty_log_start_locked.dsl"])
def test_it_is_the_same_whose_blocks_are_looked_at_again(path: str) -> None:
    program = load(str(ROOT / path)).program
    assert program is not None
    program = flat(program)
    names = tuple(prop.name for prop in program.properties)
    original = graph_of(program, names)[1]
    assert original is not None
    assert 1 < len(original.quotient.steps) < len(original.steps)
    assert same_to_properties(original, original)
    told = []
    for mutant in mutants(program):
        try:
            graph = graph_of(admitted(rebuilt(program, mutant.changes)), names)[1]
        except Refused:
            continue
        if graph is not None:
            told.append(same_to_properties(original, graph))
            assert same_to_properties(graph, original) is told[-1], mutant.name
    assert set(told) == {True, False}


def test_with_liveness_only_the_same_steps_are_equivalent() -> None:
    text = "protocol e; bool x = false; bool y = false; thread t { y = true; x = true; } liveness l: eventually x;"
    found = fates(text)
    assert found["drop x = true in t"].state == "killed"
    assert found["drop y = true in t"].state == "survives"


def test_a_condition_of_a_context_is_changed() -> None:
    text = """protocol c; thread_local bool f = false; bool x = false; context X when f; bh b on X { x = false; }
    thread t { f = true; schedule b; aio_wait_while X (pending(b)); }"""
    found = {name: fate for name, fate in fates(text).items() if "context X" in name}
    assert {fate.state for fate in found.values()} == {"killed", "equivalent"}


def test_clauses_that_notice_nothing_survive() -> None:
    text = COUNTER.replace("x = x + 1;", "assert vain: true || holds(L); x = x + 1;")
    found = {entry.name: entry.fate for entry in studied(text).entries if entry.kind == "clause"}
    assert found["drop requires.add in add"].state == "killed"
    assert found["drop assert.vain in add"].state == "survives"
    assert found["drop assert.vain in add"].reason.startswith("it is always true")


def test_a_clause_is_tried_without_those_before_it() -> None:
    text = COUNTER.replace("requires holds(L) {", "requires holds(L) requires holds(L) {")
    found = {entry.name: entry.fate for entry in studied(text).entries if entry.kind == "clause"}
    assert found["drop requires.add.2 in add"].reason.startswith("as the only clause, notices ")


def test_a_clause_is_tried_with_every_mutant_that_dies() -> None:
    pairs = "lock M; unlock M; " * 20
    last = "lock L; choose { unlock L; lock L; } or { skip; skip; assert late: holds(L); } unlock L;"
    found = {entry.name: entry.fate for entry in studied(f"protocol m; mutex L; mutex M; thread t {{ {pairs} {last} }}").entries}
    assert sum(bool(fate.by) for fate in found.values()) > 60
    assert not any(prop == "assert.late" for fate in found.values() for prop, _ in fate.by)
    assert found["drop assert.late in t"].reason.startswith("as the only clause, notices ")


def test_a_clause_that_could_not_be_tried_is_not_known_to_notice_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(crew: Crew, question: Question, limit: float, note: Callable[[str], None]) -> Iterator[tuple[int, object]]:
        for number, answer in answers(crew, question, limit, note):
            yield number, Late() if question.kind == "alone" else answer

    monkeypatch.setattr("formal.mutants.study.answers", late)
    text = COUNTER.replace("requires holds(L) {", "requires holds(L) requires holds(L) {")
    found = {entry.name: entry.fate for entry in studied(text).entries if entry.kind == "clause"}
    assert found["drop requires.add.2 in add"].state == "undecided"
    assert "unsettled where it is the only clause" in found["drop requires.add.2 in add"].reason


def test_who_notices() -> None:
    found = {one.prop: one for one in studied(COUNTER).noticed}
    assert found["relock"].first >= 1
    assert found["relock"].steps == 2
    assert found["deadlock.lock_order"].first == 0


def test_a_sample_is_chosen_by_its_seed() -> None:
    samples = [[entry.name for entry in studied(COUNTER, sample=3, seed=seed).entries if entry.kind != "clause"] for seed in (1, 1, 2)]
    assert len(samples[0]) == 3
    assert samples[0] == samples[1] != samples[2]


def test_a_violated_model_has_no_mutants() -> None:
    with pytest.raises(NotProved) as found:
        studied(COUNTER.replace("x <= 2", "x <= 1"))
    assert found.value.kills[0][0] == "invariant.few"


# ---------------------------------------------------------------- processes


def asked(work: Callable[[int], object], monkeypatch: pytest.MonkeyPatch, *, elsewhere: bool) -> dict[int, object]:
    """What comes of five questions, the last of which is never answered, within half a second each."""

    def answered(question: Question) -> tuple[object, ...]:
        return tuple(work(number) for number in question.numbers)

    monkeypatch.setattr(questions, "answered", answered)
    monkeypatch.setattr(running, "answered", asks)
    with crew(PROCESSES, 2) as hired:
        return dict(answers(replace(hired, elsewhere=elsewhere), Question(Subject("none", None), "fate", (0, 1, 2, 3, 4)), 0.5, print))


def asks(question: Question) -> tuple[object, ...]:
    """By name, so that it can be pickled; what stands behind it is looked up in the child, which was forked."""
    return questions.answered(question)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_who_is_late_is_ended_and_the_others_go_on(elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(number: int) -> int:
        if number == 4:
            time.sleep(60)
        return number * number if number != 3 else 1 // 0

    found = asked(work, monkeypatch, elsewhere=elsewhere)
    assert isinstance(found.pop(4), Late)
    broke = found.pop(3)
    assert isinstance(broke, Broke)
    assert "ZeroDivisionError" in broke.how
    assert found == {0: 0, 1: 1, 2: 4}


def test_who_starts_from_nothing_answers_the_same() -> None:
    given = Given(program_of(COUNTER), ("invariant.few", "relock"))
    numbers = tuple(range(6))
    questions.bench.cache_clear()
    there = questions.answered(pickle.loads(pickle.dumps(Question(Subject("counter", given), "fate", numbers))))
    here = questions.answered(Question(Subject("counter", None), "fate", numbers))
    assert [one.state for one in there if isinstance(one, Fate)] == [one.state for one in here if isinstance(one, Fate)]
    questions.bench.cache_clear()
    with pytest.raises(InternalError):
        questions.answered(Question(Subject("counter", None), "fate", numbers))


# ---------------------------------------------------------------- models beside it

FIXED = """protocol fixed "flags, with the lock";
mutex L;
bool inside = false;
proc enter() { inside = true; inside = false; }
thread t[2] { lock L; enter(); unlock L; }
invariant one: (number of i in t: holds(i, L)) <= 1;
"""
BROKEN = """protocol broken "flags, without it";
bool inside = false;
proc enter() { inside = true; inside = false; }
thread t[2] { enter(); }
invariant nobody: !inside;
expect violated invariant.nobody;
"""


def with_neighbour(folder: Path, fixed: str = FIXED, broken: str = BROKEN) -> str:
    (folder / "broken.dsl").write_text(broken)
    (folder / "fixed.dsl").write_text("// Beside: broken.dsl\n" + fixed)
    return str(folder / "fixed.dsl")


def test_a_model_beside_it_notices_what_it_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["mutate", with_neighbour(tmp_path), "--format", "json", "--property", "relock", "--property", "invariant.one"])
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(schema_path("mutate").read_text())).validate(document)
    by_name = {one["name"]: one for one in document["looked_at"]}
    assert by_name["duplicate lock L in t"]["violated"] == [{"property": "relock", "steps": 2}]
    assert document["beside"] == [{"model": "broken", "file": str(tmp_path / "broken.dsl"), "noticed": 0}]  # no property sees `inside`
    assert by_name["drop inside = true in enter"]["fate"] == "equivalent"
    main(["mutate", with_neighbour(tmp_path, FIXED + "invariant seen: inside || !inside;"), "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    (drop,) = [one for one in document["looked_at"] if one["name"] == "drop inside = true in enter"]
    assert (drop["fate"], drop["violated"], drop["beside"]) == ("killed", [], "broken")
    assert drop["reason"] == "invariant.nobody is not violated any more"
    assert document["beside"][0]["noticed"] == sum(one["beside"] == "broken" for one in document["looked_at"]) > 0


def test_a_proved_model_beside_it_notices_a_violation() -> None:
    other = Neighbour(program_of(COUNTER))
    assert other.as_it_is() == ""
    assert other.notices("drop lock L in t") == "requires.add is violated"
    assert other.notices("drop x = x + 1 in add") == other.notices("drop no such statement in t") == ""


def test_models_beside_it_are_those_that_are_asked_for_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed, broken = tmp_path / "fixed.dsl", tmp_path / "broken.dsl"
    fixed.write_text(FIXED + "invariant seen: inside || !inside;")
    broken.write_text(BROKEN)
    noticed = []
    for words in ([], ["--beside", str(broken)], []):
        main(["mutate", str(fixed), "--format", "json", *words])
        noticed.append([one["noticed"] > 0 for one in json.loads(capsys.readouterr().out)["beside"]])
    assert noticed == [[], [True], []]


def test_a_model_beside_it_has_to_be_as_it_expects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", with_neighbour(tmp_path, broken=BROKEN.replace("!inside;", "inside || !inside;"))]) == 2
    assert "is not as it expects: invariant.nobody is not violated any more" in capsys.readouterr().err
    assert main(["mutate", with_neighbour(tmp_path), "--beside", str(tmp_path / "none.dsl")]) == 2
    assert "none.dsl" in capsys.readouterr().err


# ---------------------------------------------------------------- explanations


def test_explanations() -> None:
    text = """// Survives: drop x = x + 1 in add: nothing asks how much is counted
// Survives: * in nowhere: stale
// Survives: negate: if (c ? a : b) in t: colons
"""
    found = explanations(program_of(text + COUNTER).sources)
    whys, stale = explained(found, ["drop x = x + 1 in add", "negate: if (c ? a : b) in t", "drop lock L in t"])
    assert whys == {"drop x = x + 1 in add": "nothing asks how much is counted", "negate: if (c ? a : b) in t": "colons"}
    assert [one.text for one in stale] == ["* in nowhere: stale"]


# ---------------------------------------------------------------- the command


def model(folder: Path, text: str) -> str:
    path = folder / "counter.dsl"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", model(tmp_path, COUNTER)]) == 1
    out, err = capsys.readouterr()
    assert "survivors, to look at (2)" in out
    assert "drop x = x + 1 in add" in out
    assert err == ""
    explained_ = "// Survives: drop x = x + 1 in add: nothing asks how much is counted\n// Survives: drop add() in *: the same\n"
    assert main(["mutate", model(tmp_path, explained_ + COUNTER), "--all"]) == 0
    out, _ = capsys.readouterr()
    assert "explained (2)" in out
    assert "duplicate lock L in t: relock in 2" in out
    assert main(["mutate", model(tmp_path, "// Survives: drop it all in *: why\n" + explained_ + COUNTER)]) == 1
    assert "stale explanations: no survivor has this name" in capsys.readouterr().out


def test_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", model(tmp_path, COUNTER), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["mutants"] == sum(document["counts"].values()) == len(document["looked_at"])
    assert document["unexplained"] == 2
    Draft202012Validator(json.loads(schema_path("mutate").read_text())).validate(document)
    (drop,) = [one for one in document["looked_at"] if one["name"] == "duplicate lock L in t"]
    assert drop["violated"] == [{"property": "relock", "steps": 2}]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--format", "xml"], "unknown format `xml`"),
        (["--property", "nothing"], "matches no property"),
        (["--sample", "0"], "at least 1"),
        (["--executor", "nobody"], "unknown executor `nobody`"),
    ],
)
def test_mistakes(words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", model(tmp_path, COUNTER), *words]) == 2
    assert told in capsys.readouterr().err


def test_a_model_that_is_violated_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", model(tmp_path, COUNTER.replace("x <= 2", "x <= 1"))]) == 2
    assert "is not proved: invariant.few is violated after" in capsys.readouterr().err


def test_every_mutant_is_a_program_of_its_own() -> None:
    program = flat(program_of(COUNTER))
    found: list[Mutant] = mutants(program)
    digests = {fingerprint(rebuilt(program, mutant.changes)) for mutant in found}
    assert len(digests) == len(found)
    assert fingerprint(program) not in digests
