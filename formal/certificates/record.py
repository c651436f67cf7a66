"""Proof records: what was found out about a model, in a file that anybody can check again.

In: the report of a proof and its certificate; or the text of a record. Out: the text; or a `Record`. The text is the document of
`prove --format json` for one model, without what changes from run to run, and with what proves it. The same proof gives the same bytes.
Reading is strict: what is missing, is too much, or is of another kind is refused. It must not know whether a record is true.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from formal.certificates.fields import Fields, read_document
from formal.certificates.kinds_listing import KindsListing
from formal.certificates.kinds_listing import document as listed_kinds
from formal.certificates.kinds_listing import read as read_kinds
from formal.certificates.listing import Listing
from formal.certificates.listing import document as listed
from formal.certificates.listing import read as read_listing
from formal.certificates.solvers import SOLVERS
from formal.certificates.spelling import spell
from formal.formats import Style
from formal.formats.json import render as render_json
from formal.invariant import Clause, Invariant, InvariantError, clause_text, read_clause
from formal.invariant.ranking import Ranking, RankingError, Rule, read_rule, rule_text
from formal.recorded import BadRecord
from formal.sweep import unbounded
from formal.verdict import Report, Verdict

VERSION: Final = 2
OF_ALL_SIZES: Final = 3  # with a `family`, whose members are counted
OF_KINDS: Final = 4  # with a `family`, of whose members few are told
READABLE: Final = (1, VERSION, OF_ALL_SIZES, OF_KINDS)  # the first had no `rankings`
BY_INVARIANT: Final = "invariant"
BY_RANKING: Final = "ranking"  # and the invariant
BY_FAMILY: Final = "family"
_OF_A_CACHE: Final = ("cached", "seconds_then")
_LEFT_OUT: Final = ("seconds", "warnings", "follows")  # what changes from run to run, and the outline for readers


@dataclass(frozen=True, slots=True)
class Claim:
    """What a record says of one property. `line`: where it is declared; `certificate`: what is said to prove it, the invariant, or that
    and a ranking; `witness`: as in the document."""

    name: str
    kind: str
    line: int | None
    verdict: Verdict
    depth: int | None
    engine: str
    reason: str
    certificate: str | None
    witness: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Record:
    """A record. `defines`: -D as they were given; `parameters`: all of them, spelled for -D. `proves`: properties that `invariant` is said
    to prove; `rankings`: by liveness property, what is said to prove it together with that; `uncertified`: proved ones that have neither,
    and why. `document`: the whole of it, which `formal.recorded` reads as well. `family`: what is said to prove it for every size."""

    model: str
    title: str
    file: str
    extra: tuple[str, ...]
    digest: str
    defines: Mapping[str, str]
    parameters: Mapping[str, str]
    verdict: Verdict
    assumptions: tuple[str, ...]
    claims: tuple[Claim, ...]
    solver: str
    invariant: Invariant | None
    proves: tuple[str, ...]
    learned_from: int | None
    rankings: Mapping[str, Ranking]
    uncertified: Mapping[str, str]
    document: Mapping[str, Any]
    family: Listing | KindsListing | None = None

    @property
    def unbounded(self) -> Mapping[str, int]:
        """The parameters of which it is about every value, from which one on."""
        return unbounded(self.parameters)

    def command(self, folder: str) -> str:
        """What records it anew."""
        options = (*(f"-D {name}={value}" for name, value in self.defines.items()), *(f"--with {path}" for path in self.extra))
        return " ".join(("formal prove", self.file, *options, "--save", folder))


# ---------------------------------------------------------------- writing


ANY: Final = "any"  # in the name of a file, for the asterisk of LO..*
COMPARED: Final = ".compare.json"  # how the names of stored comparisons end, which lie beside records


def file_name(report: Report) -> str:
    """The name of the file in which the record belongs."""
    words = [f"{name}={value.replace('*', ANY)}" for name, value in sorted(report.defines.items())]
    return "-".join([report.model, *words]) + ".json"


def render(
    report: Report,
    invariant: Invariant | None,
    proves: Sequence[str],
    learned_from: int | None,
    uncertified: Mapping[str, str],
    rankings: Mapping[str, Ranking] = MappingProxyType({}),
    family: Listing | KindsListing | None = None,
) -> str:
    """The text of a record; arguments as in `Record`. Who was first with a verdict, and how, is told only where nothing else in the record
    shows it: so the same proof gives the same bytes, whichever engine was quicker."""
    document = json.loads(render_json([report], Style()))
    for key in _LEFT_OUT:
        del document[key]
    for result in document["properties"]:
        for key in _OF_A_CACHE:
            result.pop(key, None)
        certificate = certificate_of(result["name"], proves, rankings, family)
        if certificate is not None:
            result["certificate"] = certificate
        if certificate is not None or result["witness"] is not None:
            result.update(engine=None, reason="")
    proof = None
    if invariant is not None:
        proof = {"proves": list(proves), "learned_from": learned_from, "clauses": [clause_text(clause) for clause in invariant]}
    document = {
        "record": VERSION if family is None else OF_ALL_SIZES if isinstance(family, Listing) else OF_KINDS,
        "solver": SOLVERS["z3"].label,
        **document,
        "defines": dict(sorted(report.defines.items())),
        "invariant": proof,
        "rankings": {name: [rule_text(rule) for rule in ranking] for name, ranking in rankings.items()},
        "uncertified": dict(uncertified),
    }
    if family is not None:
        document["family"] = listed(family) if isinstance(family, Listing) else listed_kinds(family)
    return spell(document, {"clauses", *rankings, *(() if family is None else ("crowds",))})


def certificate_of(name: str, proves: Collection[str], rankings: Collection[str], family: Listing | KindsListing | None) -> str | None:
    """What is said to show that a property holds."""
    if family is not None and name in family.proves:
        return BY_FAMILY
    return BY_INVARIANT if name in proves else BY_RANKING if name in rankings else None


# ---------------------------------------------------------------- reading


def read(text: str) -> Record:
    """The record in a text. Raises BadRecord."""
    fields = read_document(text)
    version = fields.any("record")
    if type(version) is not int or version not in READABLE:
        raise BadRecord(f"it is a record of version {version!r}; this is a reader of versions {', '.join(map(str, READABLE))}")
    claims = tuple(_claims(fields))
    proof = fields.part("invariant")
    invariant, proves, learned_from = (None, (), None) if proof is None else _proof(proof)
    fields.one("formal", str)
    if fields.any("depth") is not None:
        raise BadRecord("its search was bounded, by `depth`: that is no proof")
    record = Record(
        fields.one("model", str),
        fields.one("title", str),
        fields.one("file", str),
        fields.texts("with"),
        fields.one("digest", str),
        fields.words("defines"),
        fields.words("parameters", (str, int)),
        fields.verdict("verdict"),
        fields.texts("assumptions"),
        claims,
        fields.one("solver", str),
        invariant,
        proves,
        learned_from,
        {} if version == 1 else _rankings(fields),
        fields.words("uncertified"),
        fields.raw,
        _family(fields, version) if version in (OF_ALL_SIZES, OF_KINDS) else None,
    )
    fields.done()
    return record


def _family(fields: Fields, version: int) -> Listing | KindsListing:
    found = fields.part("family")
    if found is None:
        raise BadRecord("`family` is not an object")
    return read_listing(found) if version == OF_ALL_SIZES else read_kinds(found)


def _claims(fields: Fields) -> Iterator[Claim]:
    known = set()
    for one in fields.parts("properties"):
        name, source, witness = one.one("name", str), one.part("source"), one.part("witness")
        if name in known:
            raise BadRecord(f"it has the property {name} twice")
        known.add(name)
        claim = Claim(
            name,
            one.one("kind", str),
            None if source is None else _source(source),
            one.verdict("verdict"),
            one.maybe("depth", int),
            one.maybe("engine", str) or "",
            one.one("reason", str),
            one.maybe("certificate", str),
            None if witness is None else _witness(witness),
        )
        one.done()
        if (claim.witness is not None) != (claim.verdict is Verdict.VIOLATED):
            raise BadRecord(f"{name} is {claim.verdict.value}, and {'has a' if claim.witness else 'has no'} witness")
        yield claim


def _source(fields: Fields) -> int:
    fields.one("file", str)
    line = fields.one("line", int)
    fields.done()
    return line


def _witness(fields: Fields) -> Mapping[str, Any]:
    """The fields of a witness; those of its steps are for `formal.recorded`."""
    length, steps = fields.one("length", int), fields.one("steps", list)
    if length != len(steps):
        raise BadRecord(f"`{fields.name('steps')}` are {len(steps)}, not {length}")
    fields.one("context_switches", int)
    fields.maybe("loop_to", int)
    fields.one("explanation", str)
    fields.done()
    return fields.raw


def _proof(fields: Fields) -> tuple[Invariant, tuple[str, ...], int | None]:
    found = (
        tuple(_clause(number, text) for number, text in enumerate(fields.texts("clauses"), 1)),
        fields.texts("proves"),
        fields.maybe("learned_from", int),
    )
    fields.done()
    return found


def _rankings(fields: Fields) -> dict[str, Ranking]:
    found = fields.part("rankings")
    if found is None:
        raise BadRecord("`rankings` is not an object")
    return {name: tuple(_rule(name, number, text) for number, text in enumerate(found.texts(name), 1)) for name in found.raw}


def _rule(name: str, number: int, text: str) -> Rule:
    try:
        rule = read_rule(text)
    except RankingError as error:
        raise BadRecord(f"rule {number} of the ranking of {name} is {error}") from error
    if rule_text(rule) != text:
        raise BadRecord(f"rule {number} of the ranking of {name} is not spelled as `{rule_text(rule)}`")
    return rule


def _clause(number: int, text: str) -> Clause:
    try:
        clause = read_clause(text)
    except InvariantError as error:
        raise BadRecord(f"clause {number} of the invariant is {error}") from error
    if clause_text(clause) != text:
        raise BadRecord(f"clause {number} of the invariant is not spelled as `{clause_text(clause)}`")
    return clause
