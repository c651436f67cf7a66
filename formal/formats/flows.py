"""A witness as a SARIF code flow: one thread flow a thread, the steps numbered over all of them.

In: a witness. Out: SARIF objects as dictionaries. It must not know reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from formal.formats.messages import Tracker
from formal.formats.places import uri
from formal.formats.witness_words import show
from formal.verdict import ViewValue, Witness, WitnessStep


def text(message: str) -> dict[str, str]:
    """A message object. Braces stay single: viewers take only `{0}` and the like for placeholders, and show doubled ones doubled."""
    return {"text": message}


def where(file: str, line: int | None) -> dict[str, Any]:
    """A location object: a 1-based line of a file, or the file."""
    region = {} if line is None else {"region": {"startLine": line}}
    return {"physicalLocation": {"artifactLocation": {"uri": uri(file)}, **region}}


def logical(anchor: str) -> dict[str, str]:
    """A logical location object for a C function that a model names as "file:function"."""
    return {"name": anchor.rpartition(":")[2], "fullyQualifiedName": anchor, "kind": "function"}


def unique(anchors: Iterable[str | None]) -> tuple[str, ...]:
    """Those that are there, each once, in order."""
    return tuple(dict.fromkeys(anchor for anchor in anchors if anchor is not None))


def code_flow(prop: str, witness: Witness) -> dict[str, Any]:
    """The whole run."""
    tracker = Tracker(witness)
    flows: dict[str, list[dict[str, Any]]] = {}
    for step in witness.steps:
        flows.setdefault(step.thread, []).append(_location(step, tracker, last=step is witness.steps[-1]))
    told = f"{len(witness.steps)} steps to the violation of {prop}"
    if witness.loop_to is not None:
        told += f"; what follows step {witness.loop_to} can be repeated for ever"
    return {
        "message": text(told),
        "threadFlows": [{"id": thread, "message": text(f"thread {thread}"), "locations": steps} for thread, steps in flows.items()],
    }


def _location(step: WitnessStep, tracker: Tracker, *, last: bool) -> dict[str, Any]:
    """One step. `state` has what it changed; `kinds` is what the standard calls taking and giving back a lock."""
    place = where(step.source.file, step.source.line)
    if step.c_source is not None:
        place["logicalLocations"] = [logical(step.c_source)]
    kinds = {"acquire" if one.taken else "release" for one in tracker.holdings(step)}
    found: dict[str, Any] = {
        "executionOrder": step.step,
        "nestingLevel": max(0, len(step.stack) - 1),
        "importance": "essential" if last or step.changes else "important",
        "location": {**place, "message": text(_told(step))},
        "stack": {"frames": [{"location": {"message": text(frame)}} for frame in reversed(step.stack)]},
    }
    if kinds:
        found["kinds"] = [*sorted(kinds), "lock"]
    if step.changes:
        found["state"] = {key: text("gone" if after is None else show(after)) for key, (_, after) in step.changes.items()}
    return found


def _told(step: WitnessStep) -> str:
    changed = ", ".join(_changes(step.changes))
    return f"{step.thread}: {step.statement}" + (f" ({changed})" if changed else "")


def _changes(changes: Mapping[str, tuple[ViewValue | None, ViewValue | None]]) -> Iterable[str]:
    for key, (before, after) in changes.items():
        if after is not None:
            yield f"{key} = {show(after)}" if before is None else f"{key}: {show(before)} -> {show(after)}"
