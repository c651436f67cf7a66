"""What a table of standpoints says of variables, flags, counts and pending bottom halves, as notes for a reader.

In: a table that is proved. Out: `Note`s: where a Boolean may be true at all and where it surely is, where anything else has one value;
nothing of what is so wherever a thread is. Locks and thread-locals have notes of their own. It must not know how the table came about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from formal.invariant import FALSE, TRUE
from formal.program import Program
from formal.smt.layout import Cell, Layout
from formal.smt.outline import Note
from formal.smt.parts import Part
from formal.smt.standpoints import Standpoints


def values(table: Standpoints, program: Program) -> list[Note]:
    """The notes, thread by thread."""
    told = _told(table.layout)
    notes: list[Note] = []
    for number, thread in enumerate(program.threads):
        for part, found in table.may(number).items():
            if part.cell in told:
                here = {place: some for place, some in found.items() if ":" in place}
                notes += _of_truth(thread.name, part, here) if part.domain == (FALSE, TRUE) else _of_value(thread.name, part, here)
    return notes


def _told(layout: Layout) -> frozenset[Cell]:
    """What notes are about."""
    shared = (layout.sems, layout.events, layout.pending, layout.variables)
    return frozenset(cell for kind in shared for cells in kind.values() for cell in cells)


def _of_truth(thread: str, part: Part, found: Mapping[str, frozenset[str]]) -> Iterator[Note]:
    may = frozenset(place for place, some in found.items() if TRUE in some)
    surely = frozenset(place for place, some in found.items() if some == {TRUE})
    if may and may != found.keys():
        yield Note(thread, part.name, "only", may, ())
    if surely and surely != found.keys():
        yield Note(thread, part.name, "surely", surely, ())


def _of_value(thread: str, part: Part, found: Mapping[str, frozenset[str]]) -> Iterator[Note]:
    for value in part.domain:
        surely = frozenset(place for place, some in found.items() if some == {value})
        if surely and surely != found.keys():
            yield Note(thread, f"{part.name} = {value}", "surely", surely, ())
