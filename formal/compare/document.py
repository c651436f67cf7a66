"""A comparison as one JSON document. In: a comparison. Out: text. The keys are a contract: existing ones never change their meaning."""

from __future__ import annotations

import json
from typing import Any

from formal import __version__
from formal.compare.comparison import Comparison, Told
from formal.compare.following import Course, Gap
from formal.formats import Style
from formal.formats.json import render
from formal.verdict import SourceRef


def document(found: Comparison) -> str:
    """The document."""
    return json.dumps(
        {
            "formal": __version__,
            "before": json.loads(render([found.before], Style())),
            "after": json.loads(render([found.after], Style())),
            "certified": found.certified,
            "wrong": list(found.wrong),
            "changes": [told_document(one) for one in found.changes],
            "properties_changed": [told_document(one) for one in found.asked],
            "courses": [course_document(one) for one in found.courses],
            "reverted": [
                {
                    "changes": list(one.numbers),
                    "refused": one.refused or None,
                    "verdict": None if one.report is None else one.report.verdict.value,
                    "violated": [{"property": result.name, "steps": result.depth} for result in one.broken],
                    "needed": None if one.report is None else bool(one.broken),
                }
                for one in found.reverted
            ],
        },
        indent=1,
        ensure_ascii=False,
    )


def told_document(one: Told) -> dict[str, Any]:
    """A change."""
    return {"where": one.where, "lines": [{"sign": line.sign, "text": line.text, "source": _source(line.source)} for line in one.lines]}


def course_document(one: Course) -> dict[str, Any]:
    """How far a witness of BEFORE goes in AFTER."""
    return {
        "property": one.prop,
        "steps": one.steps,
        "taken": one.taken,
        "impossible_from": one.gaps[0].step if one.gaps else None,
        "gaps": [_gap(gap) for gap in one.gaps],
        "end": one.end,
        "violated": one.violated,
    }


def _gap(one: Gap) -> dict[str, Any]:
    return {
        "step": one.step,
        "kind": one.kind,
        "thread": one.thread,
        "statement": one.statement,
        "body": one.body,
        "source": _source(one.source),
        "why": one.why,
    }


def _source(source: SourceRef | None) -> dict[str, Any] | None:
    return None if source is None else {"file": source.file, "line": source.line}
