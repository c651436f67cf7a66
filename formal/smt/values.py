"""What a table of standpoints says of variables, flags, counts and pending bottom halves, as notes for a reader.

In: a table that is proved. Out: `Note`s: where a Boolean may be true at all and where it surely is, where anything else has one value;
nothing of what is so wherever a thread is. Locks and thread-locals have notes of their own. It must not know how the table came about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from formal.invariant import FALSE, TRUE
from formal.program import Program
from formal.smt.layout import Cell, Layout
from formal.smt.outline import Note
from formal.smt.parts import Part
from formal.smt.standpoints import Standpoints


def values(table: Standpoints, program: Program) -> list[Note]:
    """The notes, thread by thread."""
    told = _told(table.layout)
    parts = [part for part in table.parts if part.cell in told]
    return [
        note
        for number, thread in enumerate(program.threads)
        for part in parts
        for note in _notes(thread.name, part, table.may(number, part))
    ]


def _told(layout: Layout) -> frozenset[Cell]:
    """What notes are about."""
    shared = (layout.sems, layout.events, layout.pending, layout.variables)
    return frozenset(cell for kind in shared for cells in kind.values() for cell in cells)


def _notes(thread: str, part: Part, found: Mapping[frozenset[str], frozenset[str]]) -> Iterator[Note]:
    everywhere = _inside(found.values())
    surely = {value: _inside([places for some, places in found.items() if some == {value}]) for value in part.domain}
    if part.domain == (FALSE, TRUE):
        may = _inside([places for some, places in found.items() if TRUE in some])
        if may and may != everywhere:
            yield Note(thread, part.name, "only", may, ())
        surely = {TRUE: surely[TRUE]}
    for value, places in surely.items():
        if places and places != everywhere:
            yield Note(thread, part.name if part.domain == (FALSE, TRUE) else f"{part.name} = {value}", "surely", places, ())


def _inside(places: Iterable[frozenset[str]]) -> frozenset[str]:
    """Those where a statement is."""
    return frozenset(place for some in places for place in some if ":" in place)
