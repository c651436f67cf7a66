"""Executions out of searches that merge steps and take alike states for one: each is one of the program's, whoever is who."""

from __future__ import annotations

import pytest
from test_alike import Crowd
from test_interp import program_of
from test_symmetry import TOLD_APART, Family

from formal.engines import explicit
from formal.engines.hunt import Hunt, Hunted
from formal.engines.protocol import Event, Finding, Options
from formal.engines.scout import Scout
from formal.engines.witnesses import Witnesses
from formal.frontend import load
from formal.interp import Machine, State, replay
from formal.program import Program, Property
from formal.verdict import Move, Trace, Verdict

MOST = 3000  # states of a search


def asked(program: Program) -> list[Property]:
    return [prop for prop in program.properties if prop.kind != "liveness"]


def scouts(machine: Machine) -> list[Scout]:
    """Searches that leave something out, and are sure of what they find."""
    properties = asked(machine.program)
    symmetry = machine.symmetry((prop.condition for prop in properties if prop.condition is not None), exact=True) or None
    ways = [(None, True), *((symmetry, merge) for merge in (False, True) if symmetry is not None)]
    return [Scout(machine, properties, None, way, merge=merge) for way, merge in ways]


def moves(machine: Machine, steps: tuple[tuple[int, State], ...], last: int | None) -> tuple[Move, ...]:
    return (*(Move(thread, machine.view(state)) for thread, state in steps), *([] if last is None else [Move(last, None)]))


def unfolded(program: Program) -> tuple[int, int]:
    """How many violations were found, and how many of the executions are not the search's own but for names."""
    found = renamed = 0
    machine = Machine(program)
    for scout in scouts(machine):
        left = {prop.name for prop in asked(program)}
        while left and not scout.exhausted and not scout.useless and scout.states < MOST:
            violated = scout.expand(left)
            for name, execution in scout.executions(sorted(violated)).items():
                witness = replay(machine, Trace(name, moves(machine, execution.steps, execution.last)))
                assert len(witness.steps) == len(execution.steps) + (execution.last is not None)
                found += 1
                renamed += scout.kind == "folded"
            left -= violated
    return found, renamed


@pytest.mark.parametrize("first", [0, 12])
def test_executions_of_generated_models_are_the_programs_own(first: int) -> None:
    texts = [make(seed).text() for seed in range(first, first + 12) for make in (Family, Crowd)]
    counts = [unfolded(program_of(text)) for text in (*texts, *(() if first else TOLD_APART.values()))]
    found, renamed = (sum(column) for column in zip(*counts, strict=True))
    assert found > 60
    assert renamed > 30


def test_of_a_violation_far_away_there_is_an_execution_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The more vCPUs have to stop before it, the further; nothing has to be searched for once more."""
    program = load("models/savevm_unlocked.dsl", {"VCPUS": "14"}, []).program
    assert program is not None
    monkeypatch.setattr(Hunt, "go_on", lambda *_: pytest.fail("a second search"))
    events: list[Event] = []
    explicit.run(program, Options(("invariant.main_loop_under_bql",)), events.append)
    (found,) = [event for event in events if isinstance(event, Finding)]
    assert (found.verdict, found.shortest) == (Verdict.VIOLATED, False)
    assert found.trace is not None
    assert len(replay(Machine(program), found.trace).steps) == found.depth


def test_what_is_no_execution_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hunt, "go_on", lambda *_: None)
    program = program_of("bool x; bool y; thread t { x = true; y = true; x = false; } invariant a: !y;")
    machine = Machine(program)
    witnesses = Witnesses(machine, program.properties, None, merge=False, fold=False)
    ((_, first),) = ((step.thread, step.after) for step in machine.steps(machine.initial(), 0))
    assert first is not None
    ((_, second),) = ((step.thread, step.after) for step in machine.steps(first, 0))
    assert second is not None
    for steps, taken in (((0, first),), set()), (((0, second),), set()), (((0, first), (0, second)), {"invariant.a"}):
        witnesses.offer({"invariant.a": Hunted(steps, None)})
        assert witnesses.hunt({"invariant.a"}) == taken
