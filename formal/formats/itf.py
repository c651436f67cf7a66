"""A witness in the Informal Trace Format, which the viewers and trace tools around Apalache and Quint read (Apalache's ADR-015).

In: reports. Out: one JSON document with one trace, the first violated property's. The format has no room for more; `remarks` names the
others.

A variable is a key of `verdict.View` under the model's own name. Those that come and go (locals) are options, `Some(value)` or `None`:
every state must have every variable. Integers are written as `#bigint`, as both tools do. The states' `#meta` tells who came there by which
statement. `loop` is the state that a lasso comes back to; the last state repeats it. A step that is itself the error has no state after it,
and stands in the trace's `#meta`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from formal import __version__
from formal.formats import Style
from formal.formats.single import Violation, left_out, violations
from formal.formats.states import failing_step, states
from formal.verdict import Report, ViewValue, WitnessStep

_NOTHING: Mapping[str, str] = {"tag": "None", "value": "U_OF_UNIT"}  # Apalache's None


def render(reports: Sequence[Report], _style: Style) -> str:
    """The document. Without a violation it has no states."""
    found = violations(reports)
    return json.dumps(_trace(found[0]) if found else _empty(reports), indent=1, ensure_ascii=False)


def remarks(reports: Sequence[Report]) -> tuple[str, ...]:
    """What the document does not show."""
    return left_out(reports, "itf")


def _empty(reports: Sequence[Report]) -> dict[str, Any]:
    verdicts = {report.file: report.verdict.value for report in reports}
    meta = {"format": "ITF", "source": ", ".join(verdicts), "description": "no property is violated", "verdict": verdicts}
    return {"#meta": {**meta, "varTypes": {}}, "vars": [], "states": []}


def _trace(found: Violation) -> dict[str, Any]:
    report, result, witness = found.report, found.result, found.witness
    failing = failing_step(result)
    run = states(witness)[: -1 if failing is not None else None]
    names = sorted({name for state in run for name in state}, key=_in_order([*witness.initial]))
    partial = {name for name in names if any(name not in state for state in run)}
    kinds = {name: _type(next(state[name] for state in run if name in state), partial=name in partial) for name in names}
    meta: dict[str, Any] = {
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "source": report.file,
        "description": f"{result.name} of {report.model} is violated",
        "varTypes": kinds,
        "tool": f"formal {__version__}",
        "model": report.model,
        "digest": report.digest,
        "property": result.name,
        "kind": result.kind,
        "explanation": witness.explanation,
    }
    if failing is not None:
        meta["failing-step"] = _action(failing)
    document: dict[str, Any] = {"#meta": meta, "params": list(report.parameters), "vars": names, "states": []}
    constants = {name: _value(value) for name, value in report.parameters.items()}
    for index, state in enumerate(run):
        action = _action(witness.steps[index - 1]) if index else {}
        cells = {name: _cell(state.get(name), partial=name in partial) for name in names}
        document["states"].append({"#meta": {"index": index, **action}, **(constants if index == 0 else {}), **cells})
    if witness.loop_to is not None:
        document["loop"] = witness.loop_to
    return document


def _in_order(known: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    """A sort key: the model's own order, and behind it by name what is not there in the initial state."""
    position = {name: number for number, name in enumerate(known)}
    return lambda name: (position.get(name, len(position)), name)


def _action(step: WitnessStep) -> dict[str, Any]:
    return {
        "step": step.step,
        "thread": step.thread,
        "statement": step.statement,
        "source": f"{step.source.file}:{step.source.line}",
        "c_source": step.c_source,
        "stack": list(step.stack),
    }


def _cell(value: ViewValue | None, *, partial: bool) -> Any:
    if not partial and value is not None:
        return _value(value)
    return dict(_NOTHING) if value is None else {"tag": "Some", "value": _value(value)}


def _value(value: ViewValue) -> Any:
    match value:
        case bool() | str():
            return value
        case int():
            return {"#bigint": str(value)}
        case tuple():
            return {"#set": list(value)}


def _type(value: ViewValue, *, partial: bool) -> str:
    """The type in Apalache's notation (its ADR-002)."""
    match value:
        case bool():
            kind = "Bool"
        case int():
            kind = "Int"
        case str():
            kind = "Str"
        case tuple():
            kind = "Set(Str)"
    return f"None(UNIT) | Some({kind})" if partial else kind
