"""Random walks: reproducible, fair about what they met, and never called a proof."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tools import Told

from formal.engines.shorten import without_detours
from formal.frontend import load_text
from formal.interp import Machine, Outcome
from formal.program import Block, Program
from formal.walks.covering import lines
from formal.walks.judging import Judge
from formal.walks.schedulers import MIXED, SCHEDULERS, scheduler
from formal.walks.shrinking import shrink
from formal.walks.simulation import Plan, Simulation, simulate
from formal.walks.walk import End, walk

MODELS = Path(__file__).resolve().parent.parent / "models"
ABBA = str(MODELS / "classic" / "abba.dsl")
FINE = "bool wrong; invariant fine: !wrong;"  # a model has to have something to check
UNLOCKED = str(MODELS / "savevm_unlocked.dsl")


def program(text: str) -> Program:
    """A program, from its declarations."""
    loaded = load_text(f"protocol p;\n{text}\n{FINE}")
    assert loaded.program is not None, [diagnostic.render() for diagnostic in loaded.diagnostics]
    return loaded.program


def simulated(text: str, **plan: Any) -> Simulation:
    """What walks meet in a program."""
    return simulate(program(text), Plan(**{"runs": 12, "steps": 60, **plan}))


def met(simulation: Simulation) -> set[str]:
    """The properties that were violated."""
    return {violation.prop.name for violation in simulation.violations}


# ---------------------------------------------------------------- the command


def test_the_race_is_found_and_its_witness_replays(told: Told, tmp_path: Path) -> None:
    record = str(tmp_path / "witness.json")
    code, _, _ = told("simulate", UNLOCKED, "--runs", "12", "--format", "json", "-o", record)
    assert code == 1
    document = json.loads(Path(record).read_text())
    violated = {one["name"]: one for one in document["properties"] if one["verdict"] == "violated"}
    assert {"wrong_context", "invariant.main_loop_under_bql"} <= set(violated)
    others = [one for one in document["properties"] if one["name"] not in violated]
    assert {one["verdict"] for one in others} == {"undecided"}
    assert document["verdict"] == "violated"
    assert document["simulation"]["violations"]["wrong_context"]["first_steps"] >= violated["wrong_context"]["witness"]["length"] >= 37
    code, out, _ = told("replay", record)
    assert code == 0
    assert "wrong_context is violated after" in out


def test_the_same_seed_gives_the_same_walks(told: Told) -> None:
    documents = []
    for seed in ("7", "7", "8"):
        document = json.loads(told("simulate", ABBA, "--runs", "6", "--seed", seed, "--format", "json")[1])
        del document["seconds"]
        documents.append(document)
    assert documents[0] == documents[1]
    assert documents[0] != documents[2]


def test_no_violation_is_no_proof(told: Told) -> None:
    code, out, _ = told("simulate", str(MODELS / "classic" / "abba_ordered.dsl"), "--runs", "5")
    assert code == 0
    assert "no violation met" in out
    assert "This is no proof" in out
    assert "proved" not in out


def test_a_violation_tells_where_it_was_met_and_how_to_find_a_shortest_one(told: Told) -> None:
    code, out, _ = told("simulate", ABBA, "--runs", "20")
    assert code == 1
    assert "deadlock.global is violated after" in out
    assert "of 20 walks, first in walk" in out
    assert f"formal prove {ABBA} --property deadlock.global" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulate", ABBA, "--scheduler", "fair"], "unknown scheduler `fair`"),
        (["simulate", ABBA, "--format", "xml"], "unknown format `xml`"),
        (["simulate", ABBA, "-o", ABBA], "that is a model"),
        (["simulate", ABBA, "--seed", "-1"], "at least 0"),
        (["simulate", ABBA, "--runs", "0"], "at least 1"),
        (["simulate", ABBA, "--interactive", "--runs", "2"], "--interactive goes without --runs"),
        (["simulate", ABBA, "--interactive", "--format", "json"], "--interactive goes without --format json"),
        (["simulate", "nowhere.dsl"], "nowhere.dsl"),
    ],
)
def test_bad_usage_is_exit_2(told: Told, words: list[str], message: str) -> None:
    code, out, err = told(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_title_cannot_speak_to_the_terminal(told: Told, tmp_path: Path) -> None:
    model = tmp_path / "m.dsl"
    model.write_text(f'protocol m "\x1b[2Jgone"; thread t {{ skip; }} {FINE}')
    code, out, err = told("simulate", str(model), "--runs", "1")
    assert code == 2
    assert "\x1b" not in out + err
    assert "U+001B" in err


# ---------------------------------------------------------------- what walks meet


def test_every_kind_of_error_is_met() -> None:
    found = simulated("mutex L; 0..1 x = 0; thread a { lock L; lock L; } thread b { assert early: x == 1; } thread c { x = x + 2; }")
    assert met(found) == {"relock", "assert.early", "range"}
    assert found.ends == {End.ERROR: 12}


def test_a_disabled_check_ends_a_walk_silently() -> None:
    found = simulated("disable relock; mutex L; thread a { lock L; lock L; }")
    assert (met(found), found.ends) == (set(), {End.ASSUMED: 12})


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("thread a { skip; }", End.FINISHED),
        ("bool x; thread a { idle: await x; }", End.IDLE),
        ("bool x; thread a { await x; }", End.STUCK),
        ("bool x; thread a { loop { x = !x; } }", End.STEPS),
    ],
)
def test_how_walks_end(text: str, end: End) -> None:
    assert simulated(text).ends == {end: 12}


def test_who_is_stuck_is_told_though_it_violates_nothing(told: Told, tmp_path: Path) -> None:
    model = tmp_path / "m.dsl"
    model.write_text(f"protocol m;\nbool x;\nthread a {{ await x; }}\n{FINE}")
    code, out, _ = told("simulate", str(model), "--runs", "1")
    assert code == 0
    assert f"a at `await x` ({model}:3)" in out
    assert "not declared `deadlock free`" in out


def test_an_invariant_that_fails_at_once() -> None:
    found = simulated("bool x; invariant never: x; thread a { x = true; }")
    assert [(one.prop.name, len(one.witness.steps)) for one in found.violations] == [("invariant.never", 0)]


def test_liveness_is_judged_where_a_walk_ends_and_where_it_comes_round() -> None:
    assert met(simulated("bool x; thread a { skip; } liveness soon: eventually x;")) == {"liveness.soon"}
    found = simulated("bool x; bool y; thread a { loop { y = !y; } } liveness soon: eventually x;")
    (violation,) = found.violations
    assert violation.witness.loop_to is not None


def test_an_unfair_loop_violates_nothing() -> None:
    assert met(simulated("bool x; bool y; thread a { loop { y = !y; } } thread b { x = true; } liveness soon: eventually x;")) == set()
    lock = "mutex L; thread a { loop { lock L; unlock L; } } thread b { lock L; unlock L; } liveness done: eventually finished(b);"
    assert met(simulated(lock, runs=30)) == {"liveness.done"}
    assert met(simulated(f"strong fair b; {lock}", runs=30)) == set()


def test_what_was_owed_and_given_is_not_missed() -> None:
    given = "bool x; bool y; thread a { x = true; y = true; loop { skip; } } liveness l: x leads to y;"
    assert met(simulated(given)) == set()
    assert met(simulated("bool x; bool y; thread a { y = true; y = false; x = true; loop { skip; } } liveness l: x leads to y;")) == {
        "liveness.l"
    }


@pytest.mark.parametrize(
    "text",
    [
        "bool x; thread a { x = true; x = false; loop { skip; } } liveness l: eventually x;",
        "bool x; bool y; thread a { x = true; x = false; y = true; y = false; loop { skip; } } liveness l: x leads to y;",
        "bool x; bool y; thread a { x = true; loop { y = true; y = false; } } liveness l: x leads to y;",
    ],
)
def test_what_has_happened_need_not_happen_again(text: str) -> None:
    assert met(simulated(text)) == set()


# ---------------------------------------------------------------- schedulers


@pytest.mark.parametrize("name", [*SCHEDULERS, MIXED])
def test_every_scheduler_lets_everybody_move(name: str) -> None:
    machine = Machine(program("thread t[i: 3] { loop { skip; } }"))
    done = walk(machine, Judge(machine), scheduler(name, 0, Random(1)), 3000)
    assert {outcome.thread for outcome in done.outcomes} == {0, 1, 2}
    assert len(done.outcomes) == 3000


def test_schedulers_differ() -> None:
    machine = Machine(program("thread t[i: 3] { loop { skip; } }"))
    switches = {}
    for name in SCHEDULERS:
        moved = [one.thread for one in walk(machine, Judge(machine), scheduler(name, 0, Random(1)), 1000).outcomes]
        switches[name] = sum(one != other for one, other in pairwise(moved))
    assert switches["uniform"] > 2 * switches["sticky"] > 0
    assert switches["uniform"] > 2 * switches["priorities"] > 0


# ---------------------------------------------------------------- short witnesses


def test_detours_are_cut_out() -> None:
    machine = Machine(program("bool x; thread a { x = true; x = false; x = true; } thread b { loop { skip; } }"))
    state, outcomes = machine.initial(), []
    for thread in (1, 0, 1, 1, 0, 0):
        outcomes.append(machine.steps(state, thread)[0])
        state = outcomes[-1].after or state
    kept = without_detours(machine.initial(), outcomes)
    assert [one.thread for one in kept] == [0, 0, 0]
    assert kept[-1].after == state


def test_what_did_nothing_for_a_violation_is_left_out() -> None:
    found = program("""
        0..3 x = 0; 0..50 y = 0; mutex L; invariant low: y < 6;
        thread a { x = x + 1; x = x + 1; assert low: x < 2; }
        thread b { while (y < 50) { y = y + 1; } }
        thread c { lock L; }
    """)
    machine = Machine(found)
    state, outcomes = machine.initial(), []
    for thread in (1, 1, 1, 2, 1, 0, 1, 0, 1, 0):  # to the assertion
        outcomes.append(machine.steps(state, thread)[0])
        state = outcomes[-1].after or state
    wanted = {one.name: one for one in found.properties}
    assert [one.thread for one in shrink(machine, wanted["assert.low"], outcomes)] == [0, 0, 0]
    state, outcomes = machine.initial(), []
    for thread in (0, 2, *[1] * 6, 0, *[1] * 6):  # y is 6 at the end
        outcomes.append(machine.steps(state, thread)[0])
        state = outcomes[-1].after or state
    assert [one.thread for one in shrink(machine, wanted["invariant.low"], outcomes)] == [1] * 12


def taken(machine: Machine, *moves: tuple[int, int]) -> list[Outcome]:
    """The outcomes of steps: each a thread, and which of its outcomes."""
    state, outcomes = machine.initial(), []
    for thread, choice in moves:
        outcomes.append(machine.steps(state, thread)[choice])
        state = outcomes[-1].after or state
    return outcomes


def test_pieces_of_a_thread_are_put_together() -> None:
    found = program("0..3 x = 0; 0..3 y = 0; thread a { loop { x = x + 1; } } thread b { loop { y = y + 1; } } invariant low: x + y < 6;")
    machine = Machine(found)
    wanted = next(one for one in found.properties if one.name == "invariant.low")
    threads = [one.thread for one in shrink(machine, wanted, taken(machine, *[(0, 0), (1, 0)] * 3))]
    assert sorted(threads) == [0, 0, 0, 1, 1, 1]
    assert sum(one != other for one, other in pairwise(threads)) == 1


def test_choices_are_kept_in_what_is_shortened() -> None:
    found = program(
        "0..9 x = 0; 0..9 y = 0; thread a { loop { choose { y = 1; } or { x = x + 1; } } } thread b { y = 2; } invariant low: x < 3;"
    )
    machine = Machine(found)
    wanted = next(one for one in found.properties if one.name == "invariant.low")
    long = taken(machine, (1, 0), *[(0, 0), (0, 0), (0, 1), (0, 0)] * 3)
    assert len(shrink(machine, wanted, long)) == 6


def test_a_shorter_deadlock_has_fewer_switches() -> None:
    text = """
        mutex A; mutex B; 0..40 n = 0; deadlock free;
        thread a { lock A; lock B; } thread b { lock B; lock A; } thread c { while (n < 40) { n = n + 1; } }
    """
    (violation, *_) = (one for one in simulated(text, runs=40, steps=200).violations if one.prop.name == "deadlock.lock_order")
    assert len(violation.witness.steps) == 2
    assert violation.witness.context_switches == 1


# ---------------------------------------------------------------- coverage


def test_coverage_tells_what_was_never_come_to_and_what_only_waits() -> None:
    found = simulated("""
        bool x; sem S max 1 = 0; mutex L;
        proc used() { with L { skip; } }
        proc unused() { skip; }
        bh b on X { skip; }
        context X;
        thread a {
            used();
            atomic { if (x) { x = false; } x = false; }
            wait S;
            skip;
        }
    """)
    parts = {part.body.name: part for part in found.coverage.parts}
    assert set(parts) == {"a", "used"}
    assert parts["used"].executed == len(parts["used"].statements) == 2
    assert [info.text for info in parts["a"].never] == ["x = false", "skip"]
    assert [info.text for info in parts["a"].waited] == ["wait S"]
    assert found.coverage.executed == found.coverage.total - 3


def test_lines_are_told_in_runs() -> None:
    body = program("thread a {\nskip;\nskip;\nskip;\n\nskip;\n}").threads[0].decl.body
    infos = [statement.info for statement in body.statements if not isinstance(statement, Block)]
    assert lines(tuple(infos)) == "3-5, 7"
    assert lines(()) == ""
