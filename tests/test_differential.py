"""The two readings of the language agree on generated models. A long run: `make fuzz`."""

from __future__ import annotations

from differential import compare, compare_liveness, size
from hypothesis import HealthCheck, given, settings
from strategies import model_texts
from systems import systems

from formal.frontend import load_text
from formal.program import Program

DEPTH = 6  # steps; deep enough for a bottom half nested in a poll, with a lock held around it


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(model_texts())
def test_readings_agree_on_generated_texts(text: str) -> None:
    loaded = load_text(text)
    assert loaded.program is not None, [f"{d.code}: {d.message}" for d in loaded.diagnostics]
    compare(loaded.program, DEPTH)
    if size(loaded.program):
        compare_liveness(loaded.program, DEPTH)


def test_a_loop_may_need_a_step_before_it_that_touches_nothing() -> None:
    """The order of independent steps must not be fixed across the point where a loop begins."""
    loaded = load_text(
        """protocol lasso;
        bool want;
        bool x;
        thread a { want = true; await x; want = false; }
        thread b { loop { x = true; x = false; } }
        thread once { skip; }
        liveness gets_in: want leads to !want;
        """
    )
    assert loaded.program is not None
    assert compare_liveness(loaded.program, DEPTH)["liveness.gets_in"].depth == 4


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(systems())
def test_readings_agree_on_generated_systems(program: Program) -> None:
    compare(program, DEPTH)
