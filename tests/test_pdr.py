"""Property-directed reachability: proves what holds, finds the shortest violation of what does not, agrees with the explicit engine."""

from __future__ import annotations

import random

import pytest
from differential import findings, parsed, safety
from systems import SystemBuilder

from formal.engines import pdr
from formal.engines.protocol import Event, Finding, Options
from formal.frontend import load_text
from formal.program import Program
from formal.smt import reachability
from formal.verdict import Verdict

HEAD = 'protocol p "p"; '
LOCKED = "mutex L; bool inside[2]; thread t[i: 2] { loop { lock L; inside[i] = true; inside[i] = false; unlock L; } } deadlock free;"
CASES = {
    "a lock": (LOCKED + " invariant alone: !(inside[0] && inside[1]);", {}),
    "no lock": (
        LOCKED.replace("lock L; inside[i] = true;", "inside[i] = true; lock L;") + " invariant alone: !(inside[0] && inside[1]);",
        None,
    ),
    "an error in a step": ("0..3 x; thread t { loop { x = x + 1; } }", {"range": 4}),
    "an error that no step comes to": ("0..3 x; thread t { loop { if (x < 3) { x = x + 1; } else { x = 0; } } }", {}),
    "only where nothing goes on": ("event E; bool x; thread t { x = true; wait E; } invariant no: !x;", {"invariant.no": 1}),
    "a deadlock": (
        "mutex A; mutex B; thread t { with A { with B { } } } thread u { with B { with A { } } } deadlock free;",
        {"deadlock.global": 2, "deadlock.lock_order": 2},
    ),
    "a first state": ("bool x; thread t { skip; } invariant no: x;", {"invariant.no": 0}),
}


def settled(program: Program, properties: tuple[str, ...], depth: int | None = None) -> dict[str, Finding]:
    """What the engine finds about these properties."""
    events: list[Event] = []
    pdr.run(program, Options(properties, depth), events.append)
    return {event.prop: event for event in events if isinstance(event, Finding)}


@pytest.mark.parametrize("name", CASES)
def test_it_settles_everything(name: str) -> None:
    text, expected = CASES[name]
    program = parsed(HEAD + text)
    found = settled(program, safety(program))
    assert {finding.verdict for finding in found.values()} <= {Verdict.PROVED, Verdict.VIOLATED}
    violated = {prop: finding.depth for prop, finding in found.items() if finding.verdict is Verdict.VIOLATED}
    explicit = {
        prop: finding.depth
        for prop, finding in findings("explicit", program, safety(program), None).items()
        if finding.verdict is Verdict.VIOLATED
    }
    assert violated == explicit
    assert expected is None or violated == expected


def test_no_invariant_is_taken_on_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the check of Spacer's invariant fails, nothing is proved."""
    monkeypatch.setattr(reachability, "proves", lambda *_: False)
    program = parsed(HEAD + LOCKED)
    assert all(finding.verdict is not Verdict.PROVED for finding in settled(program, safety(program)).values())


def test_liveness_is_left_to_others() -> None:
    program = load_text(HEAD + "bool x; thread t { x = true; } liveness l: eventually x;").program
    assert program is not None
    found = settled(program, ("liveness.l",))["liveness.l"]
    assert found.verdict is Verdict.UNDECIDED
    assert "liveness" in found.reason


def test_a_depth_is_no_proof() -> None:
    program = parsed(HEAD + LOCKED)
    found = settled(program, safety(program), 3)
    assert {finding.verdict for finding in found.values()} == {Verdict.PROVED_UP_TO}


@pytest.mark.parametrize("seed", range(8))
def test_generated_systems(seed: int) -> None:
    program = SystemBuilder(random.Random(seed).randrange).program()
    explicit = findings("explicit", program, safety(program), 6)
    violated = tuple(prop for prop, finding in explicit.items() if finding.verdict is Verdict.VIOLATED)
    found = settled(program, violated)
    assert {prop: finding.depth for prop, finding in found.items()} == {prop: explicit[prop].depth for prop in violated}
