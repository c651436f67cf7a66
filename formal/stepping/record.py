"""A walk as a record that `formal replay` takes.

In: a path. Out: the document that `prove --format json` writes: each violation on the way with its witness; where the walk does not end in
one, all of it besides, as `walk`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from formal.recorded import WALK
from formal.stepping.path import Path
from formal.walks.report import report


def record(path: Path, defines: Mapping[str, str], extra: tuple[str, ...]) -> str:
    """`defines` and `extra`: the -D and --with that the model was loaded with."""
    from formal.formats import Style
    from formal.formats.json import render, witness_document

    violations = path.violations()
    violated = {prop: (path.witness(met), "met in a walk by hand") for prop, met in violations.items()}
    told = report(path.machine.program, violated, "one walk proves nothing", (defines, extra))
    document: dict[str, Any] = json.loads(render([told], Style()))
    if not any(met.steps == len(path.outcomes) for met in violations.values()):
        document[WALK] = witness_document(path.walked())
    return json.dumps(document, indent=1, ensure_ascii=False)
