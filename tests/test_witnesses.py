"""Witnesses where a search leaves something out: the shortest stay the shortest, and whatever is found is an execution of the program."""

from __future__ import annotations

from itertools import pairwise

import pytest
from differential import safety
from test_interp import program_of
from test_symmetry import Family

from formal.engines import explicit
from formal.engines.protocol import Event, Finding, Options, Statistics
from formal.engines.shorten import shortened
from formal.engines.witnesses import Witnessed, Witnesses
from formal.frontend import load
from formal.interp import Machine, replay
from formal.interp.quiet import ENDS
from formal.program import Program
from formal.verdict import Move, Trace, Verdict


def found_by(program: Program, without: frozenset[str] = frozenset(), names: tuple[str, ...] = ()) -> dict[str, Finding]:
    events: list[Event] = []
    explicit.run(program, Options(names or safety(program), without=without), events.append)
    return {event.prop: event for event in events if isinstance(event, Finding)}


def switches(movers: list[int]) -> int:
    return sum(one != other for one, other in pairwise(movers))


def replayed(machine: Machine, one: Witnessed) -> list[int]:
    """Who moves, step by step. Raises ReplayError if it is no execution, or does not end in the violation."""
    moves = tuple(Move(thread, None if state is None else machine.view(state)) for thread, state in one.steps)
    replay(machine, Trace(one.name, moves))
    return [thread for thread, _ in one.steps]


def philosophers(number: int) -> Program:
    program = load("models/classic/philosophers_naive.dsl", {"PHILOSOPHERS": str(number)}, []).program
    assert program is not None
    return program


# ---------------------------------------------------------------- generated models


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_they_are_executions_of_the_program_and_the_best_are_the_shortest(first: int) -> None:
    best = some = 0
    for seed in range(first, first + 20):
        program = program_of(Family(seed).text())
        plain = found_by(program, frozenset({"merging", "symmetry"}))
        violated = {name: found for name, found in plain.items() if found.verdict is Verdict.VIOLATED and found.trace is not None}
        machine = Machine(program)
        properties = [prop for prop in program.properties if prop.name in plain]
        witnesses = Witnesses(machine, properties, None, merge=True, fold=True)
        for one in witnesses.best(sorted(violated)):
            trace = violated[one.name].trace
            assert one.shortest
            assert trace is not None
            movers = replayed(machine, one)
            expected = [move.thread for move in trace.moves]
            assert (len(movers), switches(movers)) == (len(expected), switches(expected)), f"seed {seed}: {one.name}"
            best += 1
        for one in witnesses.some(sorted(plain)):
            assert not one.shortest
            assert one.name in violated, f"seed {seed}: {one.name}"
            assert len(replayed(machine, one)) >= len(violated[one.name].trace.moves), f"seed {seed}"  # type: ignore[union-attr]
            some += 1
    assert best > 3
    assert some > 10


# ---------------------------------------------------------------- deep violations


def test_a_deadlock_that_no_search_level_by_level_comes_to_is_found() -> None:
    found = found_by(philosophers(14), names=("deadlock.global", "deadlock.lock_order"))
    assert {(one.verdict, one.depth, one.shortest) for one in found.values()} == {
        (Verdict.VIOLATED, 29, False),
        (Verdict.VIOLATED, 28, False),
    }
    assert {one.reason for one in found.values()} == {"an execution that is not known to be the shortest"}
    machine = Machine(philosophers(14))
    for one in found.values():
        assert one.trace is not None
        replay(machine, one.trace)


@pytest.mark.parametrize("channels", ["8", "64"])
def test_where_there_are_many_threads_deadlocks_are_looked_for_at_once(channels: str) -> None:
    program = load("models/multifd_sync_locked.dsl", {"CHANNELS": channels}, []).program
    assert program is not None
    events: list[Event] = []
    explicit.run(program, Options(("deadlock.global",)), events.append)
    (found,) = (event for event in events if isinstance(event, Finding))
    assert (found.verdict, found.shortest) == (Verdict.VIOLATED, False)
    assert found.trace is not None
    assert len(replay(Machine(program), found.trace).steps) == found.depth
    (figures,) = (event.figures for event in events if isinstance(event, Statistics))
    assert int(figures["folded states"]) < 100


class Enough(Exception):
    """All is found that was waited for."""


def test_liveness_does_not_keep_deadlocks_from_being_looked_for_at_once() -> None:
    """With sixteen philosophers all states are out of reach; the partial deadlock is a global one without the guest's step."""
    program = philosophers(16)
    found: dict[str, Finding] = {}

    def tell(event: Event) -> None:
        if isinstance(event, Finding):
            found[event.prop] = event
        if len(found) == 3:
            raise Enough

    with pytest.raises(Enough):
        explicit.run(program, Options(("deadlock.global", "deadlock.partial", "deadlock.lock_order", "liveness.eats")), tell)
    assert {name: one.depth for name, one in found.items()} == {
        "deadlock.global": 33,
        "deadlock.partial": 32,
        "deadlock.lock_order": 32,
    }
    for one in found.values():
        assert one.trace is not None
        replay(Machine(program), one.trace)


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_who_can_move_is_who_has_a_step(first: int) -> None:
    text = "0..2 n; thread t { atomic { choose { n = 2; } or { n = 1; } assert n > 0; } atomic { await n == 1; n = 0; } }"
    programs = [program_of(text), *(program_of(Family(seed).text()) for seed in range(first, first + 20))]
    for program in programs:
        machine = Machine(program)
        seen, todo = {machine.initial()}, [machine.initial()]
        while todo and len(seen) < 300:
            state = todo.pop()
            assert machine.enabled(state) == [t for t in range(len(program.threads)) if machine.steps(state, t)]
            new = {one.after for one in machine.successors(state) if one.after is not None} - seen
            seen |= new
            todo += sorted(new, key=repr)


def test_in_small_models_a_shortest_one_is_found() -> None:
    found = found_by(philosophers(4), names=("deadlock.global", "deadlock.partial"))
    assert {(one.verdict, one.depth, one.shortest) for one in found.values()} == {(Verdict.VIOLATED, 9, True), (Verdict.VIOLATED, 8, True)}


def test_what_nothing_rests_on_is_left_out_and_the_rest_put_together() -> None:
    program = program_of("bool x; 0..9 n; thread t { skip; x = true; } thread u { skip; n = 1; skip; } invariant i: !x || n == 0;")
    machine = Machine(program)
    state, steps = machine.initial(), []
    for thread in (0, 1, 1, 0, 1):
        state = next(outcome.after for outcome in machine.steps(state, thread) if outcome.after is not None)
        steps.append((thread, state))
    found = shortened(machine, steps, lambda state: bool(machine.broken_invariants(state)))
    assert [thread for thread, _ in found] == [0, 0, 1, 1]


def test_many_choices_at_the_start_are_not_combined() -> None:
    machine = Machine(program_of("bool b[9]; thread t[i: 9] { choose { b[i] = true; } or { skip; } skip; }"))
    assert machine.merging(()).first(machine.initial()) == [machine.initial()]


def test_a_merged_step_has_few_ends_and_can_be_taken_apart() -> None:
    machine = Machine(
        program_of("bool b[9]; thread t[i: 9] { choose { b[i] = true; } or { skip; } } thread u { for i in 0..8 { spawn t[i]; } }")
    )
    merging, first = machine.merging(()), machine.initial()
    steps = {after for _, after in merging.step(first[9])(first)}
    assert 2 <= len(steps) <= 2 * ENDS
    for end in steps:
        state = first
        for thread, after in merging.one_by_one(first, 9, end):  # type: ignore[arg-type]
            assert after in [outcome.after for outcome in machine.steps(state, thread)]
            state = after
        assert state == end
