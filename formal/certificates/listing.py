"""`Crowded` states as the part of a record that lists them, and back.

In: such states; or what a document says. Out: what a document says; or the states. The same states give the same document, in whatever
order they come; reading is strict: what is not spelled so is refused. It must not know what is true of them.

States that differ in their crowds alone stand together. Each line of `crowds` says how many there are of each kind that it names, of
the others none: `k1 any, k2 1+, k3 1`; such lines stand for all their combinations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Final, TypeAlias

from formal.certificates.crowded import Crowded, Fact, Kind
from formal.certificates.fields import Fields
from formal.recorded import BadRecord

MOST: Final = 100_000  # states that are read from one record
NOBODY: Final = "nobody"
ANY: Final = "any"

Box: TypeAlias = tuple[frozenset[int], ...]  # by kind, how many there may be
Head: TypeAlias = tuple[tuple[Fact, ...], tuple[Kind, ...], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a record says of all sizes. `parameter`: which, `least`: from which value on, `many`: that many stand for any larger number;
    `proves`: the properties that are said to follow."""

    parameter: str
    least: int
    many: int
    proves: tuple[str, ...]
    states: tuple[Crowded, ...]

    @property
    def parameters(self) -> Mapping[str, int]:
        """Of which it is, from which value on."""
        return {self.parameter: self.least}


# ---------------------------------------------------------------- writing


def document(listing: Listing) -> dict[str, Any]:
    """What is written."""
    kinds = sorted({kind for one in listing.states for kind in (*one.told, *(kind for kind, _ in one.crowd))})
    name = {kind: f"k{number}" for number, kind in enumerate(kinds, 1)}
    together: dict[Head, set[tuple[tuple[Kind, int], ...]]] = {}
    for one in listing.states:
        together.setdefault((one.shared, one.told, one.links), set()).add(one.crowd)
    states = []
    for (shared, told, links), crowds in sorted(together.items()):
        entry: dict[str, Any] = {"shared": list(shared)}
        if told:
            entry |= {"told": [name[kind] for kind in told], "links": list(links)}
        states.append({**entry, "crowds": list(_lines(crowds, name, listing.many))})
    return {
        "parameter": listing.parameter,
        "least": listing.least,
        "many": listing.many,
        "proves": list(listing.proves),
        "kinds": {name[kind]: list(kind) for kind in kinds},
        "states": states,
    }


def _lines(crowds: Collection[tuple[tuple[Kind, int], ...]], name: Mapping[Kind, str], many: int) -> Iterator[str]:
    kinds = sorted({kind for crowd in crowds for kind, _ in crowd})
    rows: list[Box] = [tuple(frozenset((dict(crowd).get(kind, 0),)) for kind in kinds) for crowd in sorted(crowds)]
    for place in range(len(kinds)):
        rows = _joined(rows, place)
    for row in sorted(rows, key=lambda row: [sorted(counts) for counts in row]):
        words = [f"{name[kind]} {_word(counts, many)}" for kind, counts in zip(kinds, row, strict=True) if counts != {0}]
        yield ", ".join(words) or NOBODY


def _joined(rows: Sequence[Box], place: int) -> list[Box]:
    """The same, with rows together that differ there alone."""
    found: dict[Box, frozenset[int]] = {}
    for row in rows:
        rest = (*row[:place], *row[place + 1 :])
        found[rest] = found.get(rest, frozenset()) | row[place]
    return [(*rest[:place], counts, *rest[place:]) for rest, counts in found.items()]


def _word(counts: frozenset[int], many: int) -> str:
    """How many there may be: `any`, or numbers, the last of which may be "so many or more"."""
    if len(counts) == many + 1:
        return ANY
    first = next((low for low in range(1, many + 1) if counts >= set(range(low, many + 1))), None)
    single = sorted(counts if first is None else {count for count in counts if count < first})
    return "|".join([*map(str, single), *([] if first is None else [f"{first}+"])])


# ---------------------------------------------------------------- reading


def read(fields: Fields) -> Listing:
    """What a document says. Raises BadRecord."""
    parameter, least, many = fields.one("parameter", str), fields.one("least", int), fields.one("many", int)
    proves = fields.texts("proves")
    if not 1 <= many <= 9:
        raise BadRecord(f"`{fields.name('many')}` is {many}")
    named = fields.part("kinds")
    if named is None:
        raise BadRecord(f"`{fields.name('kinds')}` is not an object")
    kinds = {key: named.texts(key) for key in named.raw}
    states: list[Crowded] = []
    for entry in fields.parts("states"):
        states += _states(entry, kinds, many, MOST - len(states))
    fields.done()
    found = Listing(parameter, least, many, proves, tuple(sorted(set(states))))
    if len(found.states) != len(states) or document(found) != fields.raw:
        raise BadRecord(f"`{fields.name('states')}` are not spelled as they are written")
    return found


def _states(entry: Fields, kinds: Mapping[str, Kind], many: int, most: int) -> Iterator[Crowded]:
    shared = entry.texts("shared")
    told = tuple(_kind(entry, name, kinds) for name in entry.texts("told")) if "told" in entry.raw else ()
    links = entry.texts("links") if "links" in entry.raw else ()
    lines = [_line(entry, line, kinds, many) for line in entry.texts("crowds")]
    entry.done()
    if sum(prod(len(counts) for _, counts in line) for line in lines) > most:
        raise BadRecord(f"it lists more than {MOST:,} states")
    for line in lines:
        for counts in product(*(sorted(some) for _, some in line)):
            crowd = sorted((kind, count) for (kind, _), count in zip(line, counts, strict=True) if count)
            yield Crowded(shared, told, links, tuple(crowd))


def _line(entry: Fields, line: str, kinds: Mapping[str, Kind], many: int) -> list[tuple[Kind, frozenset[int]]]:
    if line == NOBODY:
        return []
    found = []
    for words in line.split(", "):
        name, _, counts = words.partition(" ")
        found.append((_kind(entry, name, kinds), frozenset(_counts(entry, counts, many))))
    return found


def _kind(entry: Fields, name: str, kinds: Mapping[str, Kind]) -> Kind:
    if name not in kinds:
        raise BadRecord(f"`{entry.name('crowds')}` speaks of `{name}`, which is none of the kinds")
    return kinds[name]


def _counts(entry: Fields, word: str, many: int) -> Iterator[int]:
    for part in ("0+" if word == ANY else word).split("|"):
        number = part.removesuffix("+")
        if number not in map(str, range(many + 1)):
            raise BadRecord(f"`{entry.name('crowds')}` says `{word}`, which is no number of members up to {many}")
        yield from range(int(number), many + 1) if part.endswith("+") else (int(number),)
