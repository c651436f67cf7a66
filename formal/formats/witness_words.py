"""Statements, places and values as reports for people write them, in plain ASCII.

In: steps and places of a witness. Out: words. Must not know how they are laid out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from formal.verdict import SourceRef, Spot, ViewValue, WitnessStep

_PHASES = {"leave": "gives back", "poll": "polls", "test": "tests again", "wake": "woken", "assign": "assigns"}
_CALLERS = 2  # how many of them are named with a place


def ascii_only(text: str) -> str:
    """With what stands for more written as three dots; what else is no ASCII stays, it is the model's."""
    return text.replace("\u2026", "...")


def statement(step: WitnessStep) -> str:
    """What a step executes: with its second or third part named, and its object, where the statement does not name that itself."""
    told = ascii_only(step.statement)
    said = _PHASES.get(step.phase)
    if said is not None:
        told = f"{told}: {said}"
    if step.about and not re.search(rf"(?<!\w){re.escape(step.about)}(?!\w)", told):
        told = f"{told} ({step.about})"
    return told


def function(c_source: str | None, stack: Sequence[str]) -> str:
    """Whose code it is: the C function, else the innermost body."""
    if c_source is None:
        return stack[-1] if stack else ""
    return c_source.rpartition(":")[2]


def place(step: WitnessStep) -> str:
    """The function, who called it, and the line in the model: `fn <- caller, savevm.dsl:127`."""
    return f"{_called(function(step.c_source, step.stack), step.stack, 1)}, {line(step.source)}"


def full_place(spot: Spot | WitnessStep) -> str:
    """The C file and function (else the body), its callers, and the whole path of the model."""
    own = spot.c_source or (spot.stack[-1] if spot.stack else "")
    return f"{_called(own, spot.stack, _CALLERS)} ({spot.source.file}:{spot.source.line})"


def _called(own: str, stack: Sequence[str], most: int) -> str:
    """With the innermost callers, but for those that go by the same name."""
    callers = [frame for frame in stack[-2:0:-1] if frame != own.rpartition(":")[2]]  # the outermost frame is the thread itself
    return " <- ".join([own, *callers[:most]])


def line(source: SourceRef) -> str:
    """A line of the model, without folders."""
    return f"{source.file.rpartition('/')[2]}:{source.line}"


def show(value: ViewValue) -> str:
    """One value of a view."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return "{" + ", ".join(value) + "}"
        case _:
            return str(value)
