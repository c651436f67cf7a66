"""The two readings of the language agree on generated models. A long run: `make fuzz`."""

from __future__ import annotations

import random

import pytest
from differential import Incomparable, compare, compare_liveness, findings, parsed, size
from hypothesis import HealthCheck, given, settings
from strategies import model_texts
from systems import systems
from weaves import Weave

from formal.engines.protocol import REDUCTIONS
from formal.frontend import load_text
from formal.program import Program
from formal.verdict import Verdict

DEPTH = 6  # steps; deep enough for a bottom half nested in a poll, with a lock held around it


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(model_texts())
def test_readings_agree_on_generated_texts(text: str) -> None:
    loaded = load_text(text)
    assert loaded.program is not None, [f"{d.code}: {d.message}" for d in loaded.diagnostics]
    try:
        compare(loaded.program, DEPTH)
    except Incomparable:
        return
    if size(loaded.program):
        compare_liveness(loaded.program, DEPTH)


@pytest.mark.parametrize("seed", range(0, 40, 10))
def test_readings_agree_on_generated_weaves(seed: int) -> None:
    for number in range(seed, seed + 10):
        compare(parsed(Weave(random.Random(number).randrange).text()), DEPTH)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(model_texts())
def test_reductions_change_no_answer(text: str) -> None:
    program = load_text(text).program
    assert program is not None
    properties = tuple(p.name for p in program.properties)
    plain = findings("bmc", program, properties, DEPTH, frozenset(REDUCTIONS))
    for name in REDUCTIONS:
        reduced = findings("bmc", program, properties, DEPTH, frozenset(REDUCTIONS) - {name})
        assert {p: (f.verdict, f.depth) for p, f in reduced.items()} == {p: (f.verdict, f.depth) for p, f in plain.items()}


def test_a_loop_may_need_a_step_before_it_that_touches_nothing() -> None:
    """The order of independent steps must not be fixed across the point where a loop begins."""
    loaded = load_text(
        """protocol lasso;
        bool want;
        bool x;
        thread a { want = true; await x; want = false; }
        thread b { loop { x = true; x = false; } }
        thread idler { skip; }
        liveness gets_in: want leads to !want;
        """
    )
    assert loaded.program is not None
    assert compare_liveness(loaded.program, DEPTH)["liveness.gets_in"].depth == 4


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(systems())
def test_readings_agree_on_generated_systems(program: Program) -> None:
    compare(program, DEPTH)


def test_a_lock_that_its_owner_took_to_its_end_is_never_given_back() -> None:
    loaded = load_text(
        """protocol gone;
        mutex m;
        bool x;
        thread a { lock m; }
        thread b { lock m; unlock m; }
        thread c { loop { x = !x; } }
        deadlock free;
        """
    )
    assert loaded.program is not None
    said = compare(loaded.program, DEPTH)
    assert said["deadlock.partial"].depth == 1
    assert said["deadlock.lock_order"].verdict is not Verdict.VIOLATED
