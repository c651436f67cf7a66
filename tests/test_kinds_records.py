"""Records of every size in which few members are told: as text, written, rechecked, tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from any_size import Recorded
from test_interp import program_of
from test_kinds_certificates import kindred_of

from formal.certificates.covering import uncovered
from formal.certificates.fields import Fields
from formal.certificates.kindred import Kindred
from formal.certificates.kinds import Kind, Told
from formal.certificates.kinds_listing import KindsListing, document, read
from formal.certificates.loading import load_for
from formal.certificates.record import read as read_record
from formal.cli import main
from formal.console import Exit
from formal.recorded import BadRecord
from formal.resources import schema_path

# ---------------------------------------------------------------- as text

K = Kind(0, ())
L = Kind(0, ("f[t[*]]=true",))
R = Kind(0, ("reached by u.at",))
W = Kind(1, ())
LISTING = KindsListing(
    {"N": 1, "M": 1},
    ("range",),
    {
        Told((), (), ()): frozenset((K, W)),
        Told(("x=true",), (R,), ("u.at=u:1@N[0]",)): frozenset((K, L, W)),
        Told(("x=true",), (Kind(0, ("f[t[*]]=true", "reached by u.at")),), ("u.at=u:1@N[0]",)): frozenset((K, L, W)),
    },
)


def test_states_are_listed_in_few_lines() -> None:
    written = document(LISTING)
    assert written["kinds"]["k1"] == {"of": "M", "facts": []}
    assert written["companies"] == {"c1": "k1 k2 k3", "c2": "k1 k5"} or set(written["companies"]) == {"c1", "c2"}
    assert [len(entry["told"]) for entry in written["states"]] == [1, 2]
    assert written["states"][0] == {"shared": [], "links": [], "others": written["states"][0]["others"], "told": ["nobody"]}
    assert read(Fields(json.loads(json.dumps(written)), "family")) == LISTING
    assert document(replace(LISTING, states=dict(reversed(list(LISTING.states.items()))))) == written


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one["states"].reverse(), "not spelled as they are written"),
        (lambda one: one["states"][1]["told"].append("k9"), "speaks of `k9`"),
        (lambda one: one["states"][1]["told"].append("k1"), "not spelled"),
        (lambda one: one["states"][1].update(others="c7"), "none of the companies"),
        (lambda one: one["companies"].update(c1="k1 k77"), "speaks of `k77`"),
        (lambda one: one["kinds"].update(k1={"of": "Q", "facts": []}), "none of the parameters"),
        (lambda one: one["kinds"].update(k1=[]), "not an object"),
        (lambda one: one.update(kinds=None), "is not an object"),
        (lambda one: one["parameters"].update(N="1"), "not a whole number"),
        (lambda one: one.pop("proves"), "`family.proves` is missing"),
    ],
)
def test_what_is_not_spelled_so_is_refused(change: Callable[[Any], object], message: str) -> None:
    written = json.loads(json.dumps(document(LISTING)))
    change(written)
    with pytest.raises(BadRecord, match=message):
        read(Fields(written, "family"))


# ---------------------------------------------------------------- records

LOOPED = """protocol looped "a semaphore for all";
param N in 1..* = 3;
sem s max N = 0;
bool f[N];
thread t[i: N] { f[i] = true; post s; }
thread u { for v in 0..N - 1 { wait s; join t[v]; } assert forall v in 0..N - 1: f[v]; }
invariant own: forall v in 0..N - 1: finished(t[v]) implies f[v];
deadlock free;
expect proved;
"""
ON_DISK = Recorded("looped", LOOPED)
RECORD = ON_DISK.record


def test_it_stands(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = ON_DISK.recheck(capsys, "--explore")
    assert code == Exit.OK
    assert ": stands\n" in out
    assert "every step from one leads to one, for every N >= 1" in out
    assert "reachable states with N=1 to 3 violate nothing that it proves" in out
    found = json.loads(ON_DISK.recheck(capsys, "--format", "json")[1])
    listing = read_record(Path(RECORD).read_text()).family
    assert isinstance(listing, KindsListing)
    assert found["states_of_any_size"] == len(listing.states)
    assert (found["stands"], found["obligations"], found["not_rechecked"]) == (True, [], {})


def test_the_record_is_as_its_schema_says_and_the_same_each_time(here: Path, prepared: bytes) -> None:
    jsonschema.Draft202012Validator(json.loads(schema_path("record").read_text())).validate(json.loads(prepared))
    assert main(["prove", "looped.dsl", "-D", "N=1..*", "--save", "again", "--quiet"]) == Exit.OK
    assert Path(RECORD.replace("proofs", "again")).read_bytes() == prepared
    assert b"s.count given=" in prepared
    assert b"u.at=u:6@N[0]" in prepared


def relist(one: dict[str, Any], change: Callable[[dict[Told, frozenset[Kind]]], dict[Told, frozenset[Kind]]]) -> None:
    """The states changed, spelled as they would be."""
    listing = read(Fields(one["family"], "family"))
    one["family"] = document(replace(listing, states=change(dict(listing.states))))


def without_a_state(states: dict[Told, frozenset[Kind]]) -> dict[Told, frozenset[Kind]]:
    return dict(list(states.items())[:3] + list(states.items())[4:])


def without_a_kind(states: dict[Told, frozenset[Kind]]) -> dict[Told, frozenset[Kind]]:
    told = max(states, key=lambda one: len(states[one]))
    return {**states, told: frozenset(sorted(states[told])[1:])}


def put(old: str, new: str) -> Callable[[dict[Told, frozenset[Kind]]], dict[Told, frozenset[Kind]]]:
    """Every kind that says the one says the other."""

    def kind(one: Kind) -> Kind:
        return Kind(one.sort, tuple(sorted(fact.replace(old, new) for fact in one.facts)))

    def change(states: dict[Told, frozenset[Kind]]) -> dict[Told, frozenset[Kind]]:
        return {replace(one, told=tuple(sorted(map(kind, one.told)))): frozenset(map(kind, others)) for one, others in states.items()}

    return change


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], int, str]] = {
    "a state": (lambda one: relist(one, without_a_state), 1, "is not among its states"),
    "all states": (lambda one: one["family"]["states"].clear(), 2, "not spelled as they are written"),
    "a kind": (lambda one: relist(one, without_a_kind), 1, "may have one more kind of others"),
    "what was given": (lambda one: relist(one, put("s.count given=1", "s.count given=0")), 1, "contradicts itself"),
    "more given": (lambda one: relist(one, put("s.count given=1", "s.count given=2")), 1, "than there may be"),
    "what is no number": (lambda one: relist(one, put("s.count given=1", "s.count given=x")), 1, "which nothing in the model can be"),
    "where one stands": (lambda one: relist(one, put("ahead of", "passed by")), 1, "may have one more kind of others"),
    "a fact that is none": (lambda one: relist(one, put("f[*]=true", "g[*]=true")), 1, "which nothing in the model can be"),
    "the digest": (lambda one: one.update(digest="sha256:0"), 1, "looped.dsl has changed since this was recorded"),
    "a property": (
        lambda one: one["family"]["proves"].remove("invariant.own"),
        1,
        "invariant.own is proved, says the record, and nothing in it",
    ),
    "a property that is none": (lambda one: one["family"]["proves"].append("deadlock.none"), 1, "is not a property of the model"),
    "from which size on": (lambda one: one["family"]["parameters"].update(N=2), 1, "are not those of its `family`"),
    "another parameter": (lambda one: one["family"].update(parameters={"M": 1}), 2, "`family.kinds.k1.of` is `N`"),
    "one size": (lambda one: one["parameters"].update(N=3), 1, "changed since this was recorded"),
    "the version": (lambda one: one.update(record=3), 2, "is not a proof record"),
    "no family": (lambda one: one.update(family=None), 2, "`family` is not an object"),
}


@pytest.mark.parametrize(("change", "code", "message"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_caught(
    here: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object], code: int, message: str
) -> None:
    ON_DISK.tamper(change)
    found, out = ON_DISK.recheck(capsys)
    assert found == code, out
    assert "stands" not in out
    assert message in out


def test_any_state_and_any_kind_is_missed(here: Path) -> None:
    listing = read_record(Path(RECORD).read_text()).family
    kindred = kindred_of(program_of(LOOPED.partition("\n")[2].replace("expect proved;", "")))
    assert isinstance(listing, KindsListing)
    assert isinstance(kindred, Kindred)
    assert uncovered(kindred, listing.states, listing.proves) == []
    for told, kinds in listing.states.items():
        assert uncovered(kindred, {one: others for one, others in listing.states.items() if one != told}, ())
        for kind in kinds:
            assert uncovered(kindred, {**listing.states, told: kinds - {kind}}, ())


def test_two_numbers_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = LOOPED.replace("looped", "two").replace("bool f", "param M in 1..* = 2; mutex L; thread w[M] { with L { skip; } } bool f")
    Path("two.dsl").write_text(two)
    assert main(["prove", "two.dsl", "-D", "N=1..*", "-D", "M=1..*", "--save", "proofs", "--quiet"]) == Exit.OK
    assert main(["recheck", "proofs/two-M=1..any-N=1..any.json"]) == Exit.OK
    assert "for every M >= 1 and every N >= 1" in capsys.readouterr().out
    assert main(["prove", "two.dsl", "-D", "N=1..*", "--save", "proofs", "--quiet"]) == Exit.OK
    assert main(["recheck", "proofs/two-N=1..any.json"]) == Exit.OK
    record = Path("proofs/two-N=1..any.json")
    changed = json.loads(record.read_text())
    changed["family"]["parameters"]["M"] = 9
    record.write_text(json.dumps(changed))
    assert main(["recheck", str(record)]) == Exit.VIOLATED
    assert "are not those of its `family`" in capsys.readouterr().out


def test_what_the_model_violates_is_not_proved(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The record of the model as it was, with the digest of what it is now."""
    Path("looped.dsl").write_text(LOOPED.replace("f[i] = true; post s;", "post s; f[i] = true;").replace("join t[v];", "f[v] = f[v];"))
    assert "has changed since" in ON_DISK.recheck(capsys)[1]
    program = load_for(read_record(Path(RECORD).read_text())).program
    assert program is not None
    Path(RECORD).write_text(json.dumps({**json.loads(Path(RECORD).read_text()), "digest": program.digest}))
    code, out = ON_DISK.recheck(capsys)
    assert code == Exit.VIOLATED
    assert "stands" not in out
