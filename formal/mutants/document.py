"""A study as one JSON document. In: a study. Out: text. The keys are a contract: existing ones never change their meaning."""

from __future__ import annotations

import json
from typing import Any

from formal import __version__
from formal.mutants.study import Entry, Study


def document(found: Study) -> str:
    """The document."""
    program, counts = found.program, found.counts()
    return json.dumps(
        {
            "formal": __version__,
            "model": program.name,
            "file": program.file,
            "digest": program.digest,
            "parameters": dict(program.parameters),
            "states": found.states,
            "seconds": round(found.seconds, 3),
            "interrupted": found.interrupted,
            "mutants": found.total,
            "counts": {state: counts[state] for state in ("killed", "equivalent", "survives", "undecided", "timeout", "refused")},
            "unexplained": len(found.survivors(explained=False)),
            "properties": [
                {"name": one.prop, "kind": one.kind, "first": one.first, "alone": one.alone, "fewest_steps": one.steps}
                for one in found.noticed
            ],
            "beside": [{"model": one.name, "file": one.file, "noticed": one.noticed} for one in found.beside],
            "stale": [{"place": one.place, "text": one.text} for one in found.stale],
            "looked_at": [_entry(entry) for entry in found.entries],
        },
        indent=1,
        ensure_ascii=False,
    )


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "operator": entry.operator,
        "statement": entry.kind,
        "body": entry.body,
        "source": {"file": entry.source.file, "line": entry.source.line},
        "fate": entry.fate.state,
        "violated": [{"property": prop, "steps": steps} for prop, steps in entry.fate.by],
        "beside": entry.fate.beside or None,
        "reason": entry.fate.reason,
        "explanation": entry.why or None,
        "seconds": round(entry.fate.seconds, 3),
    }
