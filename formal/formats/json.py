"""Reports as one JSON document: an object for one model, an array of them for several.

In: reports. Out: text. The keys are a contract: existing ones never change their meaning, new ones may be added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from formal import __version__
from formal.formats import Style
from formal.verdict import PropertyResult, Report, SourceRef, Vacuity, ViewValue, Witness, WitnessStep


def render(reports: Sequence[Report], style: Style) -> str:
    """The document. `style` only says whether statistics are wanted."""
    documents = [report_document(report, style) for report in reports]
    return json.dumps(documents[0] if len(documents) == 1 else documents, indent=1, ensure_ascii=False)


def report_document(report: Report, style: Style) -> dict[str, Any]:
    """A report as the document spells it."""
    document: dict[str, Any] = {
        "formal": __version__,
        "model": report.model,
        "title": report.title,
        "file": report.file,
        "with": list(report.extra),
        "digest": report.digest,
        "parameters": dict(report.parameters),
        "verdict": report.verdict.value,
        "depth": report.depth,
        "seconds": round(report.seconds, 3),
        "assumptions": list(report.assumptions),
        "warnings": list(report.warnings),
        "invariant": list(report.invariant),
        "follows": list(report.follows),
        "properties": [_property(result) for result in report.properties],
    }
    if report.vacuity:
        document["vacuity"] = [_vacuity(one) for one in report.vacuity]
    if report.contract:
        document["contract"] = {"side": report.contract, "around": report.around}
    if style.statistics:
        document["statistics"] = dict(report.statistics)
    return document


def _vacuity(one: Vacuity) -> dict[str, Any]:
    core = (
        None
        if one.core is None
        else [{"kind": unit.kind, "text": unit.text, "source": _source(unit.source), "sure": unit.sure} for unit in one.core]
    )
    return {
        "name": one.name,
        "vacuous": one.vacuous,
        "reached": one.reached,
        "never": list(one.never),
        "core": core,
        "reason": one.reason,
    }


def _property(result: PropertyResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "kind": result.kind,
        "source": _source(result.source),
        "verdict": result.verdict.value,
        "depth": result.depth,
        "engine": result.engine or None,
        "reason": result.reason,
        "certificate": result.certificate,
        "witness": None if result.witness is None else witness_document(result.witness),
    } | ({} if result.then is None else {"cached": True, "seconds_then": result.then})


def _source(source: SourceRef | None) -> dict[str, Any] | None:
    return None if source is None else {"file": source.file, "line": source.line}


def witness_document(witness: Witness) -> dict[str, Any]:
    """A witness as the document spells it."""
    return {
        "length": len(witness.steps),
        "context_switches": witness.context_switches,
        "loop_to": witness.loop_to,
        "steps": [_step(step) for step in witness.steps],
        "explanation": witness.explanation,
    }


def _step(step: WitnessStep) -> dict[str, Any]:
    return {
        "step": step.step,
        "thread": step.thread,
        "statement": step.statement,
        "source": _source(step.source),
        "c_source": step.c_source,
        "stack": list(step.stack),
        "changes": changes(step.changes),
    }


def changes(pairs: Mapping[str, tuple[ViewValue | None, ViewValue | None]]) -> dict[str, list[Any]]:
    """What a step changed, as the document spells it."""
    return {key: [_value(before), _value(after)] for key, (before, after) in pairs.items()}


def _value(value: ViewValue | None) -> Any:
    return list(value) if isinstance(value, tuple) else value
