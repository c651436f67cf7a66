"""The program that a record is about.

In: a record. Out: the model as it is now, with the parameters that the record says. Where it is about every value of one, the program has
a few members, and the digest of the whole.
"""

from __future__ import annotations

from dataclasses import replace

from formal.certificates.family import SAMPLE
from formal.certificates.record import Record
from formal.frontend import Loaded, load
from formal.frontend.assembly import digest


def load_for(record: Record) -> Loaded:
    """The model, loaded."""
    sizes = {name: str(max(SAMPLE, least)) for name, least in record.unbounded.items()}
    loaded = load(record.file, {**record.parameters, **sizes}, record.extra)
    if loaded.program is None or not sizes:
        return loaded
    words = {name: record.parameters[name] for name in sizes}
    whole = digest(loaded.program.sources, {**loaded.program.parameters, **words})
    return replace(loaded, program=replace(loaded.program, digest=whole))
