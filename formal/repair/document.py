"""What was found as one JSON document. In: a `Telling`. Out: text. The keys are a contract: existing ones never change their meaning."""

from __future__ import annotations

import json
from typing import Any

from formal import __version__
from formal.repair.edits import Deletion, Edit
from formal.repair.search import Repair
from formal.repair.telling import Aside, Telling, violated
from formal.repair.texts import shown, unified
from formal.verdict import Report, Verdict


def document(told: Telling) -> str:
    """The document."""
    found = told.found
    return json.dumps(
        {
            "formal": __version__,
            "lock": told.lock,
            "models": [_model(report) for report in found.before],
            "bodies": list(found.offered.bodies),
            "edits": len(found.offered.edits),
            "looked_at": found.looked_at,
            "ruled_out": dict(sorted(found.ruled_out.items())),
            "cost": found.cost,
            "stopped": found.stopped or None,
            "seconds": round(found.seconds, 3),
            "repairs": [_repair(told, one, aside) for one, aside in zip(found.repairs, told.asides, strict=True)],
            "undecided": [{"edits": [_edit(told, edit) for edit in edits], "reason": why} for edits, why in found.open],
        },
        indent=1,
        ensure_ascii=False,
    )


def _model(report: Report) -> dict[str, Any]:
    return {
        "model": report.model,
        "file": report.file,
        "digest": report.digest,
        "verdict": str(report.verdict),
        "violated": violated(report),
        "parameters": dict(report.parameters),
    }


def _repair(told: Telling, repair: Repair, aside: Aside) -> dict[str, Any]:
    return {
        "cost": repair.cost,
        "edits": [_edit(told, edit) for edit in repair.edits],
        "diff": "\n".join(unified(told.found.sources, repair.texts)),
        "proved": [
            {
                "model": report.model,
                "digest": report.digest,
                "properties": [
                    {"name": one.name, "engine": one.engine, "reason": one.reason}
                    for one in report.properties
                    if one.verdict is Verdict.PROVED
                ],
            }
            for report in repair.reports
        ],
        "outside": list(aside.notes),
        "beside": [_model(report) for report in aside.beside],
        "saved": aside.saved,
    }


def _edit(told: Telling, edit: Edit) -> dict[str, Any]:
    return {"name": told.words.edit(edit), "verb": edit.verb, "body": edit.body, "cost": edit.cost, "acts": _acts(told, edit)}


def _acts(told: Telling, edit: Edit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    sources, spelled = told.found.sources, told.found.spelled
    for act in edit.acts:
        source = sources[act.key[0]]
        place = {"file": source.path, "line": source.text.count("\n", 0, act.key[1]) + 1}
        if isinstance(act, Deletion):
            found.append({"delete": shown(sources, act.key), "source": place})
        else:
            found.append({"insert": spelled[act.kind], "after" if act.after else "before": shown(sources, act.key), "source": place})
    return found
