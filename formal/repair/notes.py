"""What the files of the models say of repairs:  // Repair: EDIT: what it would break outside of the model

In: repairs, programs. Out: for each repair, what is said of its edits. A `*` in EDIT stands for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from formal.mutants.explaining import explained, explanations
from formal.program import Program
from formal.repair.telling import Telling, edits_by_name

MARK: Final = "Repair"


def notes(told: Telling, programs: Sequence[Program]) -> list[tuple[str, ...]]:
    """In the order of the repairs."""
    found: list[dict[str, None]] = [{} for _ in told.found.repairs]
    names = edits_by_name(told)
    for program in programs:
        whys, _ = explained(explanations(program.sources, MARK), list(names))
        for name, why in whys.items():
            for number in names[name]:
                found[number][why] = None
    return [tuple(one) for one in found]
