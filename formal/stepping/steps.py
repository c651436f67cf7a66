"""The steps of a walk, one below the other.

In: a witness. Out: lines. Must not judge.
"""

from __future__ import annotations

from formal.stepping.ink import Ink
from formal.stepping.scene import show
from formal.verdict import Witness, WitnessStep


def told_step(step: WitnessStep, ink: Ink) -> list[str]:
    """Who did what, where, and what that changed."""
    lines = ink.wrapped(f"{step.step:>4}  {step.thread}: {step.statement}", 0, hang=10)
    changes = [f"{key}: {_shown(before)} -> {_shown(after)}" for key, (before, after) in step.changes.items()]
    for change in changes:
        lines += ink.wrapped(change, 8, "cyan")
    return lines


def told_walk(witness: Witness, ink: Ink) -> list[str]:
    """All the steps of a walk that was followed again."""
    number = len(witness.steps)
    head = f"a walk of {number} step{'' if number == 1 else 's'}, as recorded"
    return [head, *(line for step in witness.steps for line in told_step(step, ink))]


def _shown(value: bool | int | str | tuple[str, ...] | None) -> str:
    return "out of scope" if value is None else show(value)
