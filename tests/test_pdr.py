"""Property-directed reachability: proves what holds, finds the shortest violation of what does not, agrees with the explicit engine; and
Spacer is believed in nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest
import z3
from differential import Incomparable, outcome, parsed, safety, size
from differential import findings as reference
from hypothesis import HealthCheck, given, settings
from strategies import ModelText
from systems import SystemBuilder, systems
from test_bmc import DEADLOCKS, PROVED, VIOLATIONS, program
from test_k_induction import DEAD_ENDS, NEEDS

from formal.engines import contenders, pdr
from formal.engines.protocol import Event, Finding, Options, Progress, Statistics
from formal.interp import Machine
from formal.program import Program
from formal.smt import reachability
from formal.smt.bits import Bits
from formal.smt.horn import Horn, Reply
from formal.smt.layout import lay_out
from formal.smt.lower import lower
from formal.smt.proofs import proves
from formal.smt.relation import Relation, relate
from formal.smt.solver import Answer
from formal.verdict import Verdict

MEMORY = 4096
PATIENCE = 1.0  # seconds for a generated program, between whose runs of Spacer the engine tells how far it is


class OutOfTime(Exception):
    """The engine would go on."""


def events(checked: Program, names: Sequence[str], depth: int | None = None, without: frozenset[str] = frozenset()) -> list[Event]:
    """What the engine tells about these properties until it ends, or until it has no more time."""
    told: list[Event] = []
    end = monotonic() + PATIENCE

    def tell(event: Event) -> None:
        told.append(event)
        if monotonic() > end:
            raise OutOfTime

    with suppress(OutOfTime):
        pdr.run(checked, Options(properties=tuple(names), depth=depth, without=without), tell)
    return told


def settled(told: Sequence[Event]) -> dict[str, Finding]:
    found = [event for event in told if isinstance(event, Finding)]
    assert len({finding.prop for finding in found}) == len(found), "settled twice"
    return {finding.prop: finding for finding in found}


def findings(text: str, depth: int | None = None) -> dict[str, Finding]:
    checked = program(text)
    return settled(events(checked, [p.name for p in checked.properties], depth))


# ---------------------------------------------------------------- by hand


@pytest.mark.parametrize(("text", "name", "length"), [*DEAD_ENDS, *VIOLATIONS, *DEADLOCKS])
def test_violations_are_the_shortest(text: str, name: str, length: int) -> None:
    finding = settled(events(program(text), [name]))[name]
    assert (finding.verdict, finding.depth) == (Verdict.VIOLATED, length), finding
    assert finding.trace is not None
    assert len(finding.trace.moves) == length


@pytest.mark.parametrize(("text", "name", "_"), NEEDS)
def test_executions_without_end_are_proved(text: str, name: str, _: int) -> None:
    finding = settled(events(program(text), [name]))[name]
    assert (finding.verdict, finding.depth, finding.trace) == (Verdict.PROVED, None, None)
    assert finding.reason.startswith("an inductive invariant of ")


@pytest.mark.parametrize("text", PROVED)
def test_what_terminates_is_proved(text: str) -> None:
    assert {finding.verdict for finding in findings(text).values()} == {Verdict.PROVED}


CHAIN = "bool a; bool b; bool c; thread t { loop { atomic { a = b; b = c; c = false; } } } invariant !a; invariant !b; invariant !c;"


def test_what_is_proved_helps_with_the_rest() -> None:
    told = events(program(CHAIN), ["invariant.1", "invariant.2", "invariant.3"])
    assert {finding.verdict for finding in settled(told).values()} == {Verdict.PROVED}
    (figures,) = [event.figures for event in told if isinstance(event, Statistics)]
    assert figures["runs of Spacer"] == 1


def test_only_what_is_used_is_told() -> None:
    plain = "bool a; bool b; bool c; thread t { loop { atomic { a = b; b = c; c = false; } } } invariant !a || true;"
    assert findings(plain)["invariant.1"].reason == "an inductive invariant of 2 lemmas, checked"
    reason = findings(CHAIN)["invariant.1"].reason
    assert reason.endswith(" clauses found by Spacer and 2 lemmas, checked"), reason


def test_ownership_can_be_left_out() -> None:
    checked = program("mutex m; bool b; thread t[2] { loop { with m { b = true; assert holds(m); b = false; } } }")
    for without in (frozenset[str](), frozenset({"ownership"})):
        assert settled(events(checked, ["assert.t.1"], without=without))["assert.t.1"].verdict is Verdict.PROVED


def test_a_depth_is_a_bounded_search() -> None:
    assert {(f.verdict, f.depth) for f in findings(CHAIN, 3).values()} == {(Verdict.PROVED_UP_TO, 3)}
    counter = "0..9 n; thread t { while (n < 4) { n = n + 1; } } invariant n < 3;"
    assert findings(counter, 5)["invariant.1"].verdict is Verdict.PROVED_UP_TO
    assert (findings(counter, 6)["invariant.1"].verdict, findings(counter, 6)["invariant.1"].depth) == (Verdict.VIOLATED, 6)
    assert findings(counter, 20)["range"].reason == "no execution is longer than 10 steps"


def test_liveness_is_left_to_others() -> None:
    found = findings("bool f; thread t { f = true; } liveness L: eventually f;")["liveness.L"]
    assert found.verdict is Verdict.UNDECIDED
    assert "liveness" in found.reason


def test_what_is_too_large_to_encode_is_undecided() -> None:
    doubling = "".join(f"proc p{i}() {{ p{i + 1}(); p{i + 1}(); }}\n" for i in range(13))
    found = findings("mutex m;\n" + doubling + "proc p13() { lock m; skip; skip; } thread t { p0(); }")
    assert {finding.verdict for finding in found.values()} == {Verdict.UNDECIDED}
    assert all("too large to encode" in finding.reason for finding in found.values())


def test_progress_and_figures_are_told() -> None:
    told = events(program("0..3 n; thread t { n = 1; n = 2; n = 3; } invariant n < 2;"), ["range", "invariant.1"])
    assert [event.depth for event in told if isinstance(event, Progress)] == [0, 0, 1, 2, 2]
    assert isinstance(told[-1], Statistics)


def test_it_starts_last() -> None:
    assert contenders("pdr") == ("pdr",)
    assert contenders("auto")[-1] == "pdr"


# ---------------------------------------------------------------- nothing is taken on trust


def relation_of(checked: Program) -> Relation:
    cfg = lower(checked)
    return relate(cfg, lay_out(cfg), False)


SHAKY = "bool a; bool b; thread t { loop { atomic { a = b; } } } invariant !a;"
CANDIDATES = [
    ("not a", False),  # not kept: b may be true for all it says
    ("not a; not b", True),
    ("b", False),  # not so at the start
    ("not b", False),  # kept, but says nothing of a
    ("", False),
]


@pytest.mark.parametrize(("claim", "proved"), CANDIDATES)
def test_a_proof_is_checked_in_all_three_ways(claim: str, proved: bool) -> None:
    relation = relation_of(program(SHAKY))
    terms = {"a": z3.Bool("a"), "b": z3.Bool("b"), "not a": z3.Not(z3.Bool("a")), "not b": z3.Not(z3.Bool("b"))}
    assert proves(relation, [terms[part] for part in claim.split("; ") if part], terms["a"], MEMORY) is proved


@pytest.mark.parametrize(
    ("clauses", "why"),
    [(None, "cannot be read back"), ((), "does not stand up to a check"), ((z3.Not(z3.Bool("a")),), "does not stand up to a check")],
)
def test_a_wrong_invariant_proves_nothing(clauses: tuple[Any, ...] | None, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Horn, "reachable", lambda *_: Reply(Answer.UNSAT, clauses))
    finding = settled(events(program(SHAKY), ["invariant.1"]))["invariant.1"]
    assert finding.verdict is Verdict.UNDECIDED
    assert finding.reason.endswith(why)


def test_without_the_check_nothing_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability, "proves", lambda *_: False)
    assert {finding.verdict for finding in findings(SHAKY).values()} == {Verdict.UNDECIDED}


def test_a_violation_that_no_execution_has_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Horn, "reachable", lambda *_: Reply(Answer.SAT))
    finding = findings("bool a; bool b; thread t { a = b; a = b; } invariant !a;")["invariant.1"]
    assert (finding.verdict, finding.trace) == (Verdict.UNDECIDED, None)
    assert finding.reason == "Spacer says that it can be violated, but no execution is longer than 3 steps"


def test_more_time_is_given_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def reachable(_: Horn, bad: Any, milliseconds: int, plain: bool) -> Reply:
        given.append(milliseconds)
        return Reply(Answer.UNKNOWN, reason="canceled" if len(given) < 3 else "it cannot", later=len(given) < 3)

    monkeypatch.setattr(Horn, "reachable", reachable)
    finding = findings(SHAKY)["invariant.1"]
    assert (finding.verdict, finding.reason) == (Verdict.UNDECIDED, "Spacer gave up: it cannot")
    assert given == [pdr.FIRST_ROUND * pdr.GROWTH**i for i in range(3)]


def test_spacer_stops_when_its_time_or_its_memory_is_used_up() -> None:
    hard = (
        "0..63 n = 1; 0..63 m; thread t[3] { loop { atomic { n = (n * 5 + m) % 61; m = (m * 7 + n * n) % 59; } } } invariant n * m != 3599;"
    )
    checked = program(hard)
    horn = Horn(relation_of(checked), (), MEMORY)
    bad = z3.And(z3.BitVec("n", 6) == 60, z3.BitVec("m", 6) == 58)
    reply = horn.reachable(bad, 1)
    assert (reply.answer, reply.later) == (Answer.UNKNOWN, True)
    small = Horn(relation_of(checked), (), 1).reachable(bad, 60_000)
    assert (small.answer, small.later, small.reason) == (Answer.UNKNOWN, False, "out of memory")
    assert horn.reachable(z3.BoolVal(False), 60_000).answer is Answer.UNSAT, "the limit of one is not that of another"


def test_an_answer_may_need_clauses_that_are_not_rewritten() -> None:
    """With seed 22 no step is left when Spacer has rewritten the clauses, and it says nothing of Reach."""
    checked = SystemBuilder(random.Random(22).randrange).program()
    told = events(checked, ["deadlock.global"])
    assert settled(told)["deadlock.global"].verdict is Verdict.PROVED
    (figures,) = [event.figures for event in told if isinstance(event, Statistics)]
    assert figures["runs of Spacer"] == 2


# ---------------------------------------------------------------- bits


def test_terms_go_to_bits_and_back() -> None:
    x, y, b = z3.BitVec("x", 3), z3.BitVec("y", 3), z3.Bool("b")
    bits = Bits([x, y, b])
    assert len(bits.of([x, b])) == 4
    terms = [z3.If(b, x * y, x - y), z3.ULT(x, y), b, z3.BoolVal(True), z3.UDiv(x, y), z3.SRem(x, y)]
    lowered = bits.lowered(terms)
    raised = [bits.raised(term) for term in lowered]
    wanted = [digit for term in terms for digit in ([term] if z3.is_bool(term) else [z3.Extract(i, i, term) == 1 for i in range(3)])]
    solver = z3.Solver()
    solver.add(z3.Or(*[one != other for one, other in zip(raised, wanted, strict=True)]))
    assert solver.check() == z3.unsat
    assert bits.lowered([]) == []


def test_what_speaks_of_anything_else_is_not_read_back() -> None:
    x = z3.BitVec("x", 2)
    bits = Bits([x])
    low, high = bits.of([x])
    function = z3.Function("f", z3.BoolSort(), z3.BoolSort())
    k = z3.Bool("k")
    for strange in (k, z3.And(low, z3.Not(k)), function(low), z3.Exists([k], z3.Or(k, low)), z3.Var(0, z3.BoolSort())):
        assert bits.raised(strange) is None
    assert bits.raised(z3.Or(low, z3.Not(high), z3.BoolVal(False))) is not None


# ---------------------------------------------------------------- the reference


def agrees(checked: Program) -> None:
    """The same verdicts as the explicit engine, the same lengths, and witnesses with as few context switches."""
    if not size(checked, 5_000):
        return
    names, machine = safety(checked), Machine(checked)
    one, other = reference("explicit", checked, names, None), settled(events(checked, names))
    for name, finding in other.items():
        if finding.reason.startswith("too large to encode"):
            raise Incomparable
        assert outcome(checked, machine, "explicit", one[name]) == outcome(checked, machine, "pdr", finding), (name, finding.reason)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(systems())
def test_agrees_with_the_reference_on_generated_systems(generated: Program) -> None:
    agrees(generated)


@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_the_reference_on_seeded_systems(seed: int) -> None:
    agrees(SystemBuilder(random.Random(seed).randrange).program())


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_reference_on_seeded_texts(seed: int) -> None:
    try:
        agrees(parsed(ModelText(random.Random(seed).randrange).text()))
    except Incomparable:
        return
