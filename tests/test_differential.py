"""The two readings of the language agree on generated models. A long run: `make fuzz`."""

from __future__ import annotations

from differential import compare
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


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(systems())
def test_readings_agree_on_generated_systems(program: Program) -> None:
    compare(program, DEPTH)
