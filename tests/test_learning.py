"""Invariants learned from reachable states: they prove what holds, nothing proves what doesn't, and the two readings name things alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import certificates
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import model_texts

from formal.certificates.learning import NotLearned, learn
from formal.certificates.whereabouts import Unplaced
from formal.engines.exploration import Exploration
from formal.frontend import load, load_text
from formal.interp import Machine, State
from formal.invariant import Invariant, InvariantError, Literal, clause_text, literal_over, read_clause
from formal.program import Program
from formal.smt.lower import lower
from formal.smt.obligations import CONSECUTION, INITIATION, OBLIGATIONS, SAFETY, Obligations
from formal.smt.parts import UnknownName
from formal.smt.questions import Questions

MODELS = Path(__file__).parent.parent / "models"
MEMORY = 2048
MOST = 3_000  # states, in a test
NODES = 500  # of the control flow: where calls recurse there may be 1,300, and each relation takes ten seconds

LOCKED = """
protocol locked "two threads take turns";
mutex L;
bool inside[2];
thread t[i: 2] { loop { lock L; inside[i] = true; inside[i] = false; unlock L; } }
invariant alone: !(inside[0] && inside[1]);
deadlock free;
"""


def program_of(text: str) -> Program:
    loaded = load_text(text)
    assert loaded.program is not None, [d.message for d in loaded.diagnostics]
    return loaded.program


def explored(program: Program, most: int = MOST) -> Exploration | None:
    """All states; None where there are too many for a test."""
    exploration = Exploration(Machine(program))
    while not exploration.exhausted:
        exploration.expand(lambda *_: None, lambda *_: None)
        if len(exploration.states) > most:
            return None
    return exploration


def violated(program: Program) -> set[str]:
    """What the explicit states say."""
    found: set[str] = set()
    machine = Machine(program)
    names = [prop.name for prop in program.properties if prop.kind == "deadlock"]

    def visit(_: int, state: State, waiting: list[int], moving: list[int]) -> None:
        found.update(machine.broken_invariants(state))
        found.update(machine.deadlocked(state, waiting, moving, names))

    exploration = Exploration(machine)
    while not exploration.exhausted:
        exploration.expand(visit, lambda _number, _thread, prop: found.add(prop))
    return found


def answers(program: Program, invariant: Invariant) -> dict[str, str]:
    """What a fresh solver says of each obligation, given as text."""
    return certificates.answers(program, invariant, [prop.name for prop in program.properties if prop.kind != "liveness"])


def learned(program: Program) -> Invariant:
    exploration = explored(program)
    assert exploration is not None
    return learn(program, [prop for prop in program.properties if prop.kind != "liveness"], exploration, MEMORY)


def test_a_lock_comes_out_as_its_bracket() -> None:
    program = program_of(LOCKED)
    invariant = learned(program)
    assert answers(program, invariant) == dict.fromkeys(OBLIGATIONS, "unsat")
    owners = [clause for clause in invariant if any(literal.part == "L.owner" for literal in clause)]
    assert {clause_text(clause) for clause in owners} >= {"L.owner in {t[0]} || t[0].at in {t:5}"}


def test_the_same_proof_gives_the_same_record(tmp_path: Path) -> None:
    """Whatever was proved before it by the same command."""
    (tmp_path / "locked.dsl").write_text(LOCKED, encoding="utf-8")
    (tmp_path / "other.dsl").write_text(
        LOCKED.replace("locked", "other").replace("t[i: 2]", "t[i: 3]").replace("[2]", "[3]"), encoding="utf-8"
    )
    told = []
    for number, models in enumerate((["locked.dsl"], ["other.dsl", "locked.dsl"])):
        words = [sys.executable, "-m", "formal", "prove", *models, "--save", str(number), "--quiet", "--engine", "explicit"]
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
        told.append((tmp_path / str(number) / "locked.json").read_bytes())
    assert told[0] == told[1]


@pytest.mark.parametrize("part", ["L.owner", "inside[0]"])
def test_without_its_lemmas_it_is_no_proof(part: str) -> None:
    program = program_of(LOCKED)
    left = tuple(clause for clause in learned(program) if all(literal.part != part for literal in clause))
    told = answers(program, left)
    assert told[INITIATION] == "unsat"
    assert "sat" in (told[CONSECUTION], told[SAFETY])


def test_false_is_no_invariant() -> None:
    assert answers(program_of(LOCKED), ((),))[INITIATION] == "sat"


def test_what_the_first_state_lacks_is_no_invariant() -> None:
    assert answers(program_of(LOCKED), (read_clause("inside[0]"),))[INITIATION] == "sat"


def test_nothing_proves_what_is_violated() -> None:
    program = program_of(LOCKED.replace("lock L; inside[i] = true;", "inside[i] = true; lock L;"))
    with pytest.raises(NotLearned, match="reachable"):
        learned(program)


@pytest.mark.parametrize("clause", ["K.owner in {none}", "L.owner in {nobody}", "t[0].at in {t:999}"])
def test_unknown_names_are_told(clause: str) -> None:
    program = program_of(LOCKED)
    with pytest.raises(UnknownName):
        Obligations(program, program.properties).scripts((read_clause(clause),))
    with pytest.raises(UnknownName):
        Questions(program, program.properties).scripts((read_clause(clause),))


@pytest.mark.parametrize("text", ["x", "!x", "a in {b}", "a not in {b, c}", "a[0].at in {p:1.enter#2} || !b || c in {-1, 0}", "false"])
def test_clauses_read_back(text: str) -> None:
    assert clause_text(read_clause(text)) == text


@pytest.mark.parametrize("text", ["", "a in b", "a in {b", "!a in {b}", "a || ", "a b", "a && b"])
def test_what_is_no_clause_is_refused(text: str) -> None:
    with pytest.raises(InvariantError):
        read_clause(text)


def test_a_literal_is_told_by_the_shorter_list() -> None:
    domain = ("a", "b", "c")
    assert literal_over("x", domain, frozenset({"a"})) == Literal("x", ("a",))
    assert literal_over("x", domain, frozenset({"a", "c"})) == Literal("x", ("b",), negated=True)
    assert literal_over("x", ("false", "true"), frozenset({"false"})) == Literal("x", ("true",), negated=True)


# Statements that keep something in registers, or whose places look alike from outside.
KEEPERS = [
    "sem S[2] max 1 = 0; proc p(ref sem s) { post s; wait s; } thread t { 0..1 i = 1; loop { p(S[i]); i = 1 - i; } }",
    "mutex A; proc p() { with A { skip; } } thread t { loop { choose { p(); } or { skip; p(); } } } thread u { loop { p(); } }",
    "hook H; callback f for H { skip; } callback g for H { skip; } mutex L; thread u { with L { } }"
    " thread t { loop { with L { invoke any H; } } }",
    "context X; bool b; bh one on X { b = true; poll X; b = false; } thread t { loop { schedule one; poll X; } }",
    "proc double(0..3 n) returns 0..6 { return 2 * n; } 0..6 x; invariant even: x % 2 == 0;"
    " thread t { loop { x = double(1); x = double(3); } }",
    "rwlock R; cond C; mutex M; thread t { loop { rdlock R; rdunlock R; } } thread u { lock M; wait C with M; unlock M; }"
    " thread v { loop { with M { signal C; } wrlock R; wrunlock R; } }",
    "oneshot bh b on X max 2 { } context X; event E; thread t { schedule b; set E; poll X blocking; reset E; } thread u { wait E; }",
]


@pytest.mark.parametrize("text", KEEPERS)
def test_every_construct_can_be_proved(text: str) -> None:
    program = program_of(f'protocol k "k"; {text} deadlock free; invariant fine: true;')
    wrong = violated(program)
    exploration = explored(program)
    assert exploration is not None
    holds = [prop for prop in program.properties if prop.kind != "liveness" and prop.name not in wrong]
    invariant = learn(program, holds, exploration, MEMORY)
    assert set(certificates.answers(program, invariant, [prop.name for prop in holds]).values()) == {"unsat"}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(model_texts())
def test_generated_models(text: str) -> None:
    check(text)


def check(text: str) -> str:
    """What holds of all states is provable or refused; what doesn't is never proved. Says which."""
    loaded = load_text(text)
    if loaded.program is None:
        return "no model"
    program = loaded.program
    exploration = explored(program, 1_000)
    if exploration is None or len(lower(program).nodes) > NODES:
        return "too large"
    wrong = violated(program)
    props = [prop for prop in program.properties if prop.kind != "liveness"]
    holds = [prop for prop in props if prop.name not in wrong]
    told = "proved"
    try:
        invariant = learn(program, holds, exploration, MEMORY)
    except (NotLearned, Unplaced) as error:
        told = f"refused: {error}"
    else:
        assert set(certificates.answers(program, invariant, [prop.name for prop in holds]).values()) == {"unsat"}
    for prop in props:
        if prop.name in wrong:
            with pytest.raises((NotLearned, Unplaced)):
                learn(program, [prop], exploration, MEMORY)
    return told


def test_a_shipped_model_has_a_proof() -> None:
    loaded = load(str(MODELS / "migration_thread_after.dsl"))
    assert loaded.program is not None
    program = loaded.program
    assert answers(program, learned(program)) == dict.fromkeys(OBLIGATIONS, "unsat")
