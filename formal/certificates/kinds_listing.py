"""What is told, with the kinds that others may be of, as the part of a record that lists it, and back.

In: such states; or what a document says. Out: what a document says; or the states. The same states give the same document, in whatever
order they come; reading is strict: what is not spelled so is refused. It must not know what is true of them.

Sets of kinds have names; states that differ only in the kinds of those who are told stand together, one a line: `k3 k17`, or `nobody`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from formal.certificates.fields import Fields
from formal.certificates.kinds import Kind, Told
from formal.certificates.listing import NOBODY
from formal.recorded import BadRecord

MOST: Final = 20_000  # states that are read from one record


@dataclass(frozen=True, slots=True)
class KindsListing:
    """What a record says of all sizes. `parameters`: which, from which value on; `proves`: the properties that are said to follow;
    `states`: of what is told, the kinds that others may be of."""

    parameters: Mapping[str, int]
    proves: tuple[str, ...]
    states: Mapping[Told, frozenset[Kind]]


# ---------------------------------------------------------------- writing


def document(listing: KindsListing) -> dict[str, Any]:
    """What is written."""
    sorts = sorted(listing.parameters)
    kinds = sorted({kind for told, others in listing.states.items() for kind in (*told.told, *others)})
    name = {kind: f"k{number}" for number, kind in enumerate(kinds, 1)}
    sets = sorted({tuple(sorted(others)) for others in listing.states.values()})
    company = {frozenset(some): f"c{number}" for number, some in enumerate(sets, 1)}
    together: dict[tuple[tuple[str, ...], tuple[str, ...], str], list[tuple[Kind, ...]]] = {}
    for told, others in sorted(listing.states.items(), key=lambda one: one[0]):
        together.setdefault((told.shared, told.links, company[others]), []).append(told.told)
    return {
        "parameters": {parameter: listing.parameters[parameter] for parameter in sorts},
        "proves": list(listing.proves),
        "kinds": {name[kind]: {"of": sorts[kind.sort], "facts": list(kind.facts)} for kind in kinds},
        "companies": {company[frozenset(some)]: " ".join(name[kind] for kind in some) or NOBODY for some in sets},
        "states": [
            {
                "shared": list(shared),
                "links": list(links),
                "others": others,
                "told": [" ".join(name[kind] for kind in one) or NOBODY for one in lines],
            }
            for (shared, links, others), lines in sorted(together.items())
        ],
    }


# ---------------------------------------------------------------- reading


def read(fields: Fields) -> KindsListing:
    """What a document says. Raises BadRecord."""
    told_parameters = fields.part("parameters")
    named, companies = fields.part("kinds"), fields.part("companies")
    if told_parameters is None or named is None or companies is None:
        raise BadRecord(f"`{fields.name('parameters')}`, `kinds` or `companies` is not an object")
    parameters = {key: told_parameters.one(key, int) for key in told_parameters.raw}
    proves = fields.texts("proves")
    kinds = {key: _kind(one, sorted(parameters)) for key in named.raw if (one := _part(named, key))}
    sets = {key: frozenset(_kinds(companies.one(key, str), kinds, companies.name(key))) for key in companies.raw}
    states: dict[Told, frozenset[Kind]] = {}
    for entry in fields.parts("states"):
        shared, links, others, lines = entry.texts("shared"), entry.texts("links"), entry.one("others", str), entry.texts("told")
        entry.done()
        if others not in sets:
            raise BadRecord(f"`{entry.name('others')}` is `{others}`, which is none of the companies")
        if len(states) + len(lines) > MOST:
            raise BadRecord(f"it lists more than {MOST:,} states")
        states.update((Told(shared, tuple(_kinds(line, kinds, entry.name("told"))), links), sets[others]) for line in lines)
    fields.done()
    found = KindsListing(parameters, proves, dict(sorted(states.items(), key=lambda one: one[0])))
    if document(found) != fields.raw:
        raise BadRecord(f"`{fields.name('states')}` are not spelled as they are written")
    return found


def _part(fields: Fields, key: str) -> Fields:
    found = fields.part(key)
    if found is None:
        raise BadRecord(f"`{fields.name(key)}` is not an object")
    return found


def _kind(fields: Fields, sorts: list[str]) -> Kind:
    of, facts = fields.one("of", str), fields.texts("facts")
    fields.done()
    if of not in sorts:
        raise BadRecord(f"`{fields.name('of')}` is `{of}`, which is none of the parameters")
    return Kind(sorts.index(of), facts)


def _kinds(line: str, kinds: Mapping[str, Kind], where: str) -> Iterator[Kind]:
    for name in [] if line == NOBODY else line.split(" "):
        if name not in kinds:
            raise BadRecord(f"`{where}` speaks of `{name}`, which is none of the kinds")
        yield kinds[name]
