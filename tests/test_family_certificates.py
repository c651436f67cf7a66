"""Certificates for every size: what the engine proves is accepted, what is claimed holds, and whatever is tampered with is caught."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from any_size import Recorded
from differential import safety
from test_families import FOR_EVERY_SIZE, FROM_SOME_SIZE_ON, Crowd, proved, violated
from test_interp import program_of

from formal.certificates.closing import wrong
from formal.certificates.crowded import Crowded, Naming, Unsuited
from formal.certificates.family import Family
from formal.certificates.fields import Fields
from formal.certificates.gathering import gathered
from formal.certificates.listing import Listing, document, read
from formal.certificates.record import COMPARED
from formal.certificates.record import read as read_record
from formal.cli import main
from formal.console import Exit
from formal.engines.counted import Counted
from formal.frontend import load_text
from formal.interp import Machine
from formal.program import Program
from formal.recorded import BadRecord
from formal.resources import schema_path
from formal.smt.concrete import Concrete

ROOT = Path(__file__).resolve().parent.parent


def ignored(_: str) -> None:
    """Nobody is told how far it is."""


def suited(program: Program, proves: Sequence[str]) -> Family | str:
    """The family; or why there can be no certificate for it."""
    try:
        return Family(program, "N", 1, proves)
    except Unsuited as reason:
        return str(reason)


def listed(family: Family, proves: Sequence[str]) -> Listing | None:
    """All states, if it can be told that these properties hold for every size."""
    try:
        return gathered(family, proves, ignored)
    except Unsuited:
        return None


def faults(family: Family, listing: Listing, states: Sequence[Crowded]) -> list[str]:
    """What is wrong with these states in the place of those."""
    family.many = listing.many
    return wrong(family, states, listing.proves)


# ---------------------------------------------------------------- the second reading, one state at a time


def reached(program: Program, most: int = 3000) -> tuple[int, set[str]] | None:
    """How many states the encoding comes to, and what is violated; None if they are too many."""
    names = safety(program)
    concrete = Concrete(program, names)
    found = {concrete.initial: None}
    bad: set[str] = set()
    todo = list(found)
    while todo:
        state = todo.pop()
        bad.update(concrete.violated(state))
        for thread in range(len(concrete.threads)):
            bad.update(prop for prop in concrete.faults(state, thread) if prop in names)
            for after in concrete.steps(state, thread):
                if after not in found:
                    found[after] = None
                    todo.append(after)
        if len(found) > most:
            return None
    return len(found), bad


@pytest.mark.parametrize("seed", range(12))
def test_steps_taken_one_at_a_time_violate_what_the_interpreter_does(seed: int) -> None:
    program = load_text("protocol t;\n" + Crowd(seed, loops=seed % 2 == 1).text(), "<text>", {"N": "2"}).program
    assert program is not None
    found = reached(program)
    if found is not None:
        machine = Machine(program)
        seen: set[Any] = set()
        bad: set[str] = set()
        todo = [machine.initial()]
        while todo:
            state = todo.pop()
            if state not in seen:
                seen.add(state)
                bad.update((*machine.broken_invariants(state), *machine.deadlocks(state)))
                for outcome in machine.successors(state):
                    bad.update([outcome.error] if outcome.error is not None else [])
                    todo += [outcome.after] if outcome.after is not None else []
        assert bad & set(safety(program)) == found[1]


# ---------------------------------------------------------------- what is claimed, and what is proved


SUITED = (4, 18, 22, 49, 54, 56)  # models of which something is proved, in few states


@pytest.mark.parametrize("seed", SUITED)
def test_what_the_engine_proves_has_a_certificate_and_holds(seed: int) -> None:
    program = program_of(Crowd(seed).text())
    small = [violated(program, size, 1500) for size in (1, 2, 3)]
    bad = set().union(*(some for some in small if some is not None))
    claims = [claim for size in (4, 6) if (claim := proved(program, size, Counted)) is not None]
    proves = sorted(set().union(*(claimed for _, claimed in claims)) - bad)
    family = Family(program, "N", 1, safety(program))
    listing = listed(family, proves)
    assert proves
    assert listing is not None
    assert faults(family, listing, listing.states) == []
    for name in sorted(bad):
        assert listed(family, [name]) is None
    pick = random.Random(seed)
    for _ in range(6):
        states = list(listing.states)
        states.remove(pick.choice(states))
        assert faults(family, listing, states)
    for _ in range(12):
        states = mutated(pick, listing)
        if not faults(family, listing, states):  # it is larger than it has to be
            assert set(listing.states) <= set(states)


def mutated(pick: random.Random, listing: Listing) -> list[Crowded]:
    """The states, with something else said in one of them, in the place of it or besides."""
    states = list(listing.states)
    one, other = pick.choice(states), pick.choice(states)
    crowd = dict(one.crowd)
    match pick.randrange(4):
        case 0:
            new = replace(one, shared=other.shared)
        case 1:
            new = replace(one, crowd=other.crowd)
        case 2:
            kind, count = pick.choice([*one.crowd, *other.crowd])
            crowd[kind] = listing.many + 1 - min(count, listing.many)
            new = replace(one, crowd=tuple(sorted(crowd.items())))
        case _:
            crowd.pop(pick.choice(list(crowd)))
            new = replace(one, crowd=tuple(sorted(crowd.items())))
    if pick.random() < 0.5:
        states.remove(one)
    return [*states, new]


@pytest.mark.parametrize("seed", [*SUITED, 15, 55])
def test_whatever_a_size_comes_to_is_listed(seed: int) -> None:
    """The states of each size, gone through one by one, are among those that count no further than they have to."""
    program = program_of(Crowd(seed).text())
    family = Family(program, "N", 1, safety(program))
    listing = gathered(family, (), ignored)
    states = frozenset(listing.states)
    for size in range(1, 5):
        roster = family.roster(size)
        found = {roster.concrete.initial: None}
        todo = list(found)
        while todo and len(found) < 600:
            state = todo.pop()
            assert roster.of(state).cut(listing.many) in states
            for thread in range(len(roster.concrete.threads)):
                for after in roster.concrete.steps(state, thread):
                    if after not in found:
                        found[after] = None
                        todo.append(after)


@pytest.mark.parametrize("text", FOR_EVERY_SIZE.values(), ids=FOR_EVERY_SIZE)
def test_what_holds_for_every_size(text: str) -> None:
    """Members that are gone through one by one, or give semaphores more room, are refused."""
    program = program_of("param N in 1..* = 6;\n" + text)
    names = safety(program)
    family = suited(program, names)
    if isinstance(family, str):
        assert "one by one" in family or "how far `s` goes depends on N" in family
        return
    listing = listed(family, names)
    assert listing is not None
    assert faults(family, listing, listing.states) == []


@pytest.mark.parametrize(("text", "prop"), FROM_SOME_SIZE_ON.values(), ids=FROM_SOME_SIZE_ON)
def test_what_fails_from_some_size_on_has_none(text: str, prop: str) -> None:
    program = program_of("param N in 1..* = 6;\n" + text)
    family = suited(program, [prop])
    assert isinstance(family, str) or listed(family, [prop]) is None


def test_a_range_that_means_no_members_tells_how_many_there_are() -> None:
    text = (
        "bool f[N]; bool x; thread t[i: N] { f[i] = true; } thread u { atomic { if ((number of v in 0..N - 1: true) >= 9) { x = true; } } }"
    )
    assert "stands for none of them" in str(suited(program_of(f"param N in 1..* = 6; {text} invariant a: !x;"), ["invariant.a"]))


def test_who_polls_for_another_is_told() -> None:
    text = """param N in 1..* = 6; context X; mutex L; bool done[N]; bh b[i: N] on X { done[i] = true; }
    thread t[i: N] { schedule b[i]; loop { with L { poll X; } } } invariant a: forall v in 0..N - 1: !done[v] || !pending(b[v]);"""
    program = program_of(text)
    family = Family(program, "N", 1, ["invariant.a"])
    listing = gathered(family, ["invariant.a"], ignored)
    assert listing is not None
    linked = [one for one in listing.states if one.links]
    assert linked
    assert all(len(one.told) > 1 for one in linked)
    assert faults(family, listing, listing.states) == []
    assert faults(family, listing, [one for one in listing.states if one != linked[0]])


def test_members_are_named_in_texts() -> None:
    naming = Naming(["t", "done"])
    assert naming.members("t[3].at=b:7@done[12]") == [3, 12]
    assert naming.members("done2[1]=start[2]") == []
    assert naming.anybody("flag[t[3]]=true") == "flag[t[*]]=true"
    assert naming.renamed("done[1].waiter.t[0]", {0: 5, 1: 4}) == "done[4].waiter.t[5]"


# ---------------------------------------------------------------- as text


STATES = (
    Crowded(("x=true",), (), (), (((), 2),)),
    Crowded(("x=true",), (), (), (((), 1), (("f[t[*]]=true",), 2))),
    Crowded(("x=true",), (), (), (((), 2), (("f[t[*]]=true",), 2))),
    Crowded(("x=true",), (), (), ((("f[t[*]]=true",), 2),)),
    Crowded((), (("p",), ()), ("t[0].at=b@b[1]",), (((), 1),)),
    Crowded((), (("p",), ()), ("t[0].at=b@b[1]",), ()),
)


def test_states_are_listed_in_few_lines() -> None:
    listing = Listing("N", 1, 2, ("range",), tuple(sorted(STATES)))
    written = document(listing)
    assert written["kinds"] == {"k1": [], "k2": ["f[t[*]]=true"], "k3": ["p"]}
    assert written["states"] == [
        {"shared": [], "told": ["k3", "k1"], "links": ["t[0].at=b@b[1]"], "crowds": ["k1 0|1"]},
        {"shared": ["x=true"], "crowds": ["k1 any, k2 2+", "k1 2+"]},
    ]
    assert read(Fields(json.loads(json.dumps(written)), "family")) == listing
    assert document(Listing("N", 1, 2, ("range",), tuple(reversed(STATES)))) == written


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one["states"][1]["crowds"].reverse(), "not spelled as they are written"),
        (lambda one: one["states"][1]["crowds"].append("k9 1"), "speaks of `k9`"),
        (lambda one: one["states"][1]["crowds"].append("k1 3"), "says `3`, which is no number of members up to 2"),
        (lambda one: one["states"][1]["crowds"].append("k1"), "says ``"),
        (lambda one: one["kinds"].update(k4=["y"]), "not spelled"),
        (lambda one: one.update(many=0), "`family.many` is 0"),
        (lambda one: one.update(kinds=None), "`family.kinds` is not an object"),
        (lambda one: one.pop("least"), "`family.least` is missing"),
    ],
)
def test_what_is_not_spelled_so_is_refused(change: Callable[[Any], object], message: str) -> None:
    written = json.loads(json.dumps(document(Listing("N", 1, 2, ("range",), tuple(sorted(STATES))))))
    change(written)
    with pytest.raises(BadRecord, match=message.replace("|", "[|]")):
        read(Fields(written, "family"))


# ---------------------------------------------------------------- records

LOCKED = """protocol locked "a lock";
param N in 1..* = 3;
mutex L;
bool busy;
bool f[t];
thread t[N] { loop { lock L; assert !busy; busy = true; f[self] = true; busy = false; f[self] = false; unlock L; } }
invariant one: forall v in t: f[v] implies owner(L) == v;
deadlock free;
expect proved;
"""
ON_DISK = Recorded("locked", LOCKED)
RECORD = ON_DISK.record


def test_it_stands(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = ON_DISK.recheck(capsys)
    assert code == Exit.OK
    assert ": stands\n" in out
    assert "states of any number of members, for " in out
    assert "every step from one leads to one, for every N >= 1" in out
    assert out.splitlines()[-1] == "solvers: none was asked, steps were taken one by one"
    found = json.loads(ON_DISK.recheck(capsys, "--format", "json")[1])
    listing = read_record(Path(RECORD).read_text()).family
    assert listing is not None
    assert found["states_of_any_size"] == len(listing.states)
    assert (found["stands"], found["obligations"], found["not_rechecked"]) == (True, [], {})


def test_the_same_proof_gives_the_same_bytes(here: Path, prepared: bytes) -> None:
    assert main(["prove", "locked.dsl", "-D", "N=1..*", "--save", "again", "--quiet"]) == Exit.OK
    assert Path(RECORD.replace("proofs", "again")).read_bytes() == prepared
    assert b'"N": "1..*"' in prepared
    assert b"L.owner=t[*]" in prepared


def property_(one: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(prop for prop in one["properties"] if prop["name"] == name)
    return found


def relist(one: dict[str, Any], keep: Callable[[Crowded], bool]) -> None:
    """The states that are kept alone, spelled as they would be."""
    listing = read(Fields(one["family"], "family"))
    one["family"] = document(replace(listing, states=tuple(state for state in listing.states if keep(state))))


def without(number: int) -> Callable[[dict[str, Any]], None]:
    def change(one: dict[str, Any]) -> None:
        listing = read(Fields(one["family"], "family"))
        relist(one, lambda state: state != listing.states[number])

    return change


def pop_crowd(one: dict[str, Any]) -> None:
    state = next(state for state in one["family"]["states"] if len(state["crowds"]) > 1)
    state["crowds"].pop()


def take_a_kind(one: dict[str, Any]) -> None:
    """Nobody is left who is as at first, besides others."""
    relist(one, lambda state: len(state.crowd) == 1 or () not in dict(state.crowd))


def claim_more(one: dict[str, Any]) -> None:
    one["family"]["proves"].append("deadlock.none")


def claim_less(one: dict[str, Any]) -> None:
    one["family"]["proves"].remove("invariant.one")


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], int, str]] = {
    "a state": (without(5), 1, "leads to what is not among its states"),
    "the first states": (
        lambda one: relist(one, lambda state: bool(state.shared) or len(state.crowd) > 1 or state.crowd[0][0] != ()),
        1,
        "the first state with N=1 is not among its states",
    ),
    "all states": (lambda one: one["family"]["states"].clear(), 2, "not spelled as they are written"),
    "a crowd": (pop_crowd, 1, "is not among its states"),
    "a crowd of nobody": (lambda one: one["family"]["states"][0].update(crowds=[]), 2, "not spelled"),
    "a kind": (take_a_kind, 1, "is not among its states"),
    "a fact that is none": (lambda one: one["family"]["states"][1]["shared"].insert(0, "a=b"), 1, "says `a=b`, which nothing in the model"),
    "the digest": (lambda one: one.update(digest="sha256:0"), 1, "locked.dsl has changed since this was recorded"),
    "a property that is none": (claim_more, 1, "`family.proves` names deadlock.none, which is not a property of the model"),
    "a property without a proof": (claim_less, 1, "invariant.one is proved, says the record, and nothing in it shows how"),
    "from which size on": (lambda one: one["family"].update(least=2), 1, "are not those of its `family`"),
    "how many are counted": (lambda one: one["family"].update(many=1), 2, "not spelled as they are written"),
    "another parameter": (lambda one: one["family"].update(parameter="M"), 1, "are not those of its `family`"),
    "one size": (lambda one: one["parameters"].update(N=3), 1, "changed since this was recorded"),
    "the version": (lambda one: one.update(record=2), 2, "`family` is not in such a record"),
    "no family": (lambda one: one.update(family=None), 2, "`family` is not an object"),
    "undecided": (lambda one: property_(one, "range").update(verdict="undecided", certificate=None), 1, "says the record"),
}


@pytest.mark.parametrize(("change", "code", "message"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_caught(
    here: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object], code: int, message: str
) -> None:
    ON_DISK.tamper(change)
    found, out = ON_DISK.recheck(capsys)
    assert found == code, out
    assert "stands" not in out
    if message != "says the record":
        assert message in out


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.99])
def test_a_truncated_record(here: Path, capsys: pytest.CaptureFixture[str], share: float) -> None:
    text = Path(RECORD).read_text()
    Path(RECORD).write_text(text[: int(len(text) * share)])
    code, out = ON_DISK.recheck(capsys)
    assert code == Exit.USAGE
    assert "is not a proof record" in out


def test_what_the_model_violates_is_not_proved(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The record of the model as it was, with the digest of what it is now."""
    broken = LOCKED.replace("lock L; assert", "lock L; unlock L; assert").replace("false; unlock L;", "false; lock L; unlock L;")
    Path("locked.dsl").write_text(broken)
    assert "has changed since" in ON_DISK.recheck(capsys)[1]
    from formal.certificates.loading import load_for

    program = load_for(read_record(Path(RECORD).read_text())).program
    assert program is not None
    ON_DISK.tamper(lambda one: one.update(digest=program.digest))
    code, out = ON_DISK.recheck(capsys)
    assert code == Exit.VIOLATED
    assert "its state" in out


def rows(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["regress", "locked.dsl", "--proofs", "proofs", "--format", "json", "--no-cache"])
    return code, {row["file"]: row for row in json.loads(capsys.readouterr().out)["models"]}


def test_a_third_opinion(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = ON_DISK.recheck(capsys, "--explore")
    assert code == Exit.OK
    assert "reachable states with N=1 to 3 violate nothing that it proves" in out
    assert "it has more than 2 states with N=1" in ON_DISK.recheck(capsys, "--explore", "2")[1]


def test_regress_knows_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = rows(capsys)
    assert (code, found["locked.dsl"]["state"], found[RECORD]["state"]) == (1, "missing", "as recorded")
    assert (found[RECORD]["how"], found[RECORD]["verdict"]) == ("rechecked", "proved")
    ON_DISK.tamper(without(5))
    assert rows(capsys)[1][RECORD]["state"] == "differs"
    Path("locked.dsl").write_text(LOCKED + "// more\n")
    problem = rows(capsys)[1][RECORD]
    assert problem["state"] == "stale"
    assert "`formal prove locked.dsl -D N=1..* --save proofs` records it anew" in problem["problems"][0]
    Path(RECORD).write_text("{")
    assert rows(capsys)[1][RECORD]["state"] == "bad record"


def test_what_has_no_certificate_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("loop.dsl").write_text(
        "protocol looped; param N in 1..* = 3; bool f[N]; thread t[i: N] { await f[i]; } thread u { for v in 0..N - 1 { f[v] = true; } }"
        " invariant (number of v in 0..N - 1: f[v]) >= 0;\n"
    )
    assert main(["prove", "loop.dsl", "-D", "N=1..*", "--save", "more"]) == Exit.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert "loop.dsl has no certificate for every N: one of them is told from two" in told.err
    assert not Path("more").exists() or not list(Path("more").iterdir())


def test_a_violation_is_no_record_of_every_size(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.dsl").write_text("protocol bad; param N in 1..* = 3; 0..1 k; thread t[N] { k = k + 1; }\n")
    assert main(["prove", "bad.dsl", "-D", "N=1..*", "--save", "more", "--quiet"]) == Exit.VIOLATED
    assert "bad.dsl: no record of every N, something is violated" in capsys.readouterr().err
    assert not list(Path("more").iterdir())


@pytest.mark.parametrize("name", ["savevm_locked-VCPUS=1..any", "multifd_sync_unlocked-CHANNELS=1-VCPUS=1..any"])
def test_shipped_models_of_every_size_are_recorded(name: str) -> None:
    record = read_record((ROOT / "proofs" / f"{name}.json").read_text())
    assert record.unbounded == {"VCPUS": 1}
    assert isinstance(record.family, Listing)
    assert record.family.many == 2


def test_records_are_as_their_schema_says(prepared: bytes) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_path("record").read_text()))
    records = [path for path in sorted((ROOT / "proofs").glob("*.json")) if not path.name.endswith(COMPARED)]
    assert len(records) > 50
    for text in (prepared, *(path.read_bytes() for path in records)):
        validator.validate(json.loads(text))
    document = json.loads(prepared)
    for change in ({"record": 2}, {"family": None}, {"more": 1}, {"digest": "md5:0"}):
        assert not validator.is_valid({**document, **change})
