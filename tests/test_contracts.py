"""Contracts of hooks: the composition never says more than the whole, and says as much on the shipped callbacks."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from contracted import AROUND, CONTRACT, KNOBS, PROTOCOL, is_proved, sound, verdict, write
from tools import Told

from formal.contracts.loading import Part, callback_alone, protocol_with_any
from formal.frontend import load
from formal.program import Program
from formal.resources import schema_path
from formal.verdict import Verdict

ROOT = Path(__file__).resolve().parent.parent
CALLBACKS = ("block", "cmma", "dirty_bitmap", "htab", "ram", "vfio")
PROTOCOLS = {
    "savevm_locked": {"VCPUS": "1"},
    "multifd_sync_unlocked": {"VCPUS": "1", "CHANNELS": "1"},
    "save_setup/all": {"VCPUS": "1"},
    "save_setup/all_multifd": {"VCPUS": "1", "CHANNELS": "1"},
}
GOOD = "callback f for h { skip; }\n"


def program_of(part: Part) -> Program:
    assert part.loaded.program is not None, [one.render() for one in part.loaded.diagnostics]
    return part.loaded.program


def shipped(name: str) -> str:
    return str(ROOT / "models" / "callbacks" / f"{name}.dsl")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path)
    (tmp_path / "f.dsl").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---------------------------------------------------------------- what is shipped


@pytest.mark.parametrize("tcg", ["false", "true"])
@pytest.mark.parametrize("name", CALLBACKS)
def test_every_shipped_callback_keeps_the_contract(name: str, tcg: str) -> None:
    assert is_proved(program_of(callback_alone(shipped(name), {"TCG": tcg})))


@pytest.mark.parametrize(
    ("name", "defines"), [*PROTOCOLS.items(), pytest.param("save_setup/all_multifd", {}, marks=pytest.mark.slow, id="two of each")]
)
def test_the_composition_agrees_with_the_whole(name: str, defines: dict[str, str]) -> None:
    """Both say proved: of the protocol with any callback, and of the protocol with all that are shipped."""
    model = str(ROOT / "models" / f"{name}.dsl")
    part = protocol_with_any(model, defines)
    assert is_proved(program_of(part))
    more = [shipped(one) for one in CALLBACKS if name == "multifd_sync_unlocked" and one not in ("ram", "vfio")]
    whole = load(model, defines, more).program
    assert whole is not None
    assert is_proved(whole)


def test_a_protocol_that_calls_without_the_lock_does_not_keep_the_contract() -> None:
    model = str(ROOT / "models" / "savevm_unlocked.dsl")
    program = program_of(protocol_with_any(model, {"VCPUS": "1"}))
    assert verdict(program)["requires.any_save_setup"] is Verdict.VIOLATED


# ---------------------------------------------------------------- what breaks a contract

BROKEN = {
    "callback f for h {\n    lock L;\n}": ("contract.h.nothing_else", 2),
    "callback f for h {\n    give_l();\n}": ("contract.h.ensures_1", 1),
    "callback f for h {\n    lock M;\n}": ("contract.h.returned", 1),
    "callback f for h {\n    lock M;\n    poll ctx;\n    unlock M;\n}": ("contract.h.polls_ctx", 3),
    "callback f for h {\n    poll ctx blocking;\n}": ("contract.h.nothing_else", 2),
    "callback f for h {\n    wait_s();\n}": ("contract.h.calls_wait_s", 2),
    "callback f for h {\n    give_l();\n    lock M;\n    take_l();\n    unlock M;\n}": ("contract.h.takes_L", 4),
    "callback f for h {\n    shared = true;\n}": ("contract.h.nothing_else", 2),
    "callback f for h {\n    await shared;\n}": ("contract.h.nothing_else", 2),
    "callback f for h {\n    if (owner(M) == none) { skip; }\n}": ("contract.h.nothing_else", 2),
    "callback f for h {\n    has_l = false;\n}": ("contract.h.nothing_else", 2),
    "callback f for h {\n    take_l();\n}": ("relock", 0),
    "bool x = true;\ncallback f for h {\n    x = shared;\n    assert x == shared;\n}": ("assert.f.1", 4),
    "thread w { take_l(); give_l(); }\ncallback f for h { spawn w; join w; }": ("deadlock.global", 0),
    "mutex P;\nthread w { lock P; take_l(); give_l(); unlock P; }\ncallback f for h { spawn w; }": ("contract.h.inner", 2),
    "mutex P;\nthread w { take_l(); with P { skip; } give_l(); }\ncallback f for h {\n    spawn w;\n    lock P;\n    poll ctx;\n}": (
        "contract.h.inner",
        6,
    ),
    "sem q max 1 = 0;\nthread w {\n    take_l();\n    wait q;\n    give_l();\n}\ncallback f for h { spawn w; post q; }": (
        "contract.h.threads_wait",
        4,
    ),
    "thread w {\n    with M { skip; }\n}\ncallback f for h { spawn w; }": ("contract.h.nothing_else", 2),
    "thread w {\n    take_l();\n}\ncallback f for h { spawn w; }": ("contract.h.threads_wait", 1),
    "sem q max 1 = 0;\ncallback f for h { wait q; }": ("deadlock.global", 0),
    "sem q max 1 = 0;\ncallback f for h {\n    give_l();\n    idle: wait q;\n    take_l();\n}": ("deadlock.global", 0),
    "sem q max 1 = 0;\nthread w { idle: wait q; }\ncallback f for h {\n    spawn w;\n    idle: join w;\n}": ("deadlock.global", 0),
    "sem q max 1 = 0;\nproc rest() { idle: wait q; }\ncallback f for h { give_l(); rest(); take_l(); }": ("deadlock.global", 0),
    "callback f for h {\n    assert current_context() != ctx;\n}": ("contract.h.nothing_else", 2),  # the protocol may have others
    "callback f for h {\n    assert (number of t in thread: t != self) < 9;\n}": ("contract.h.nothing_else", 2),
    "callback f for h {\n    for t in thread { skip; }\n}": ("contract.h.nothing_else", 2),
    "bh own on ctx { }\ncallback f for h {\n    schedule own;\n}": ("contract.h.nothing_else", 3),
    "callback f for h {\n    atomic {\n        skip;\n        if (!shared) { lock M; unlock M; }\n    }\n}": ("contract.h.nothing_else", 2),
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_breaks_the_contract_is_told_with_clause_line_and_run(here: Path, told: Told, text: str) -> None:
    name, line = BROKEN[text]
    Path("f.dsl").write_text(text + "\n")
    code, out, _ = told("prove", "--contract", "f.dsl", "--engine", "explicit", "--format", "json", "--property", name)
    assert code == 1
    result = json.loads(out)["properties"][0]
    assert result["name"] == name
    last = result["witness"]["steps"][-1]
    assert last["source"] == {"file": "f.dsl", "line": line} or not line
    if name.startswith("contract."):
        assert result["source"]["file"].endswith("contract.dsl")


def test_nothing_is_proved_of_a_callback_that_nobody_can_call(here: Path) -> None:
    Path("contract.dsl").write_text(CONTRACT.replace("requires holds(L) && has_l;", "requires holds(L) && holds(M);"))
    part = callback_alone("f.dsl", {})
    assert part.loaded.program is None
    assert [one.code.code for one in part.loaded.diagnostics] == ["E0111"]


def test_what_a_context_asks_for_may_change(here: Path) -> None:
    """The callback names the context alone; the variable in its `when` is looked at all the same."""
    Path("contract.dsl").write_text(CONTRACT.replace("when has_l;", "when has_l && shared;"))
    Path("f.dsl").write_text("bool was = false;\ncallback f for h { was = in_context(ctx); assert same: was == in_context(ctx); }\n")
    assert verdict(program_of(callback_alone("f.dsl", {})))["assert.same"] is Verdict.VIOLATED


# ---------------------------------------------------------------- random callbacks


def test_the_composition_never_says_more_than_the_whole(tmp_path: Path) -> None:
    told, wrong = sound(tmp_path, range(24), KNOBS[1:2])
    assert not wrong, wrong[0]
    assert told["alone True, whole True"] > 2


def test_a_callback_that_never_posts_is_found_to_hang_its_waiter(here: Path) -> None:
    """The most general one could post, even behind a call that never ends; so there is a last call, behind which it does nothing."""
    Path("small.dsl").write_text(
        "protocol small;\nsem s max 1 = 0;\nbool begun = false;\nproc wake() { post s; }\n"
        "proc spin() { begun = true; while (begun) { skip; } }\n"
        "hook h { may call wake once by f; may call spin; }\n"
        "thread waiter { idle: await begun; wait s; }\nthread caller { invoke h; loop { skip; } }\ndeadlock free;\n"
    )
    assert verdict(program_of(protocol_with_any("small.dsl", {})))["deadlock.partial"] is Verdict.VIOLATED


# ---------------------------------------------------------------- the command


def test_both_sides_in_one_command(here: Path, told: Told) -> None:
    code, out, err = told("prove", "--contract", "whole.dsl", "f.dsl", "--engine", "explicit", "--format", "json")
    assert code == 0
    jsonschema.Draft202012Validator(json.loads(schema_path("prove").read_text())).validate(json.loads(out))
    assert [(one["verdict"], one["contract"]["side"]) for one in json.loads(out)] == [("proved", "protocol"), ("proved", "callback")]
    assert "note: whole.dsl is proved with the callbacks of f.dsl" in err


def test_an_atomic_waits_in_the_callbacks_that_it_calls(here: Path) -> None:
    Path("own.dsl").write_text("hook own;\nevent e;\nevent g;\ncallback one for own { wait e; }\ncallback two for own { wait g; }\n")
    Path("f.dsl").write_text('import "own.dsl";\ncallback f for h { choose { } or { atomic { invoke own; } } }\n')
    assert verdict(program_of(callback_alone("f.dsl", {})))["contract.h.nothing_else"] is Verdict.VIOLATED


def test_what_the_contract_names_is_not_called_in_an_atomic(here: Path) -> None:
    """It may wait there, behind a change."""
    Path("h.dsl").write_text("hook h { may call toggle; }\nthread main { }\nproc toggle() { }\n")
    for text, verdict_ in (("z = true; toggle();", Verdict.PROVED), ("atomic { z = true; toggle(); }", Verdict.VIOLATED)):
        Path("f.dsl").write_text(
            f"bool z;\ncallback f for h {{ choose {{ assert !z || z; wait q; }} or {{ {text} }} }}\nsem q max 1 = 1;\n"
        )
        assert verdict(program_of(callback_alone("f.dsl", {}))).get("contract.h.nothing_else", Verdict.PROVED) is verdict_


def test_a_thread_of_the_callback_may_rest(here: Path) -> None:
    """Only who has called the callback is waited for."""
    Path("f.dsl").write_text("sem q max 1 = 0;\nthread w { idle: wait q; }\ncallback f for h { spawn w; post q; join w; }\n")
    assert is_proved(program_of(callback_alone("f.dsl", {})))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("context own;\nbh b1 on own { }\ncallback f for h { schedule b1; poll own; }\n", "which has bottom halves of its own"),
        ("proc r(0..2 d) { if (d > 0) { r(d - 1); } }\ncallback f for h { r(2); }\n", "in which a procedure calls itself"),
    ],
)
def test_a_bound_for_what_nests_is_not_for_callbacks_that_nest(here: Path, told: Told, text: str, message: str) -> None:
    Path("whole.dsl").write_text(PROTOCOL.replace("deadlock free;", "deadlock free;\nnesting 1;"))
    assumed = program_of(protocol_with_any("whole.dsl", {})).assumptions
    assert any("callbacks have no bottom halves of their own" in line for line in assumed)
    Path("f.dsl").write_text(text)
    code, _, err = told("prove", "--contract", "whole.dsl", "f.dsl", "--engine", "explicit")
    assert code == 2
    assert message in err


def test_a_witness_is_found_again_and_replayed(here: Path, told: Told) -> None:
    Path("f.dsl").write_text("callback f for h { lock L; }\n")
    assert told("prove", "--contract", "f.dsl", "--format", "json", "--engine", "explicit", "-o", "witness.json")[0] == 1
    assert told("replay", "witness.json")[0] == 0
    out = told("prove", "--contract", "f.dsl", "--engine", "explicit", "--property", "contract.h.nothing_else")[1]
    assert "formal prove f.dsl --property contract.h.nothing_else --contract" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plain.dsl"], "`plain.dsl` declares no hook with a contract"),
        (["two.dsl"], "`two.dsl` has callbacks for h and g"),
        (["g.dsl"], "no `g.dsl` says what stands around"),
        (["whole.dsl", "imports.dsl"], "is the protocol's too"),
        (["imports.dsl", "again.dsl"], "what it declares is neither's own"),
        (["whole.dsl", "f.dsl", "--around", "other.dsl"], "`HOW` is false where the callback was looked at, and true in the protocol"),
        (["f.dsl", "--save", "proofs"], "--contract goes without --save"),
        (["f.dsl", "--with", "f.dsl"], "--contract goes without --with"),
        (["context.dsl"], "may become the context of threads that are not the callback's own"),
        (["bound.dsl"], "`nesting` in a callback's file counts for the protocol, too"),
        (["claims.dsl"], "speaks of what is not the callback's own"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_what_does_not_fit_is_a_diagnostic(here: Path, told: Told, words: list[str], message: str) -> None:
    Path("plain.dsl").write_text("protocol plain; hook h; mutex m; thread t { lock m; unlock m; }\n")
    Path("two.dsl").write_text("callback f for h { }\ncallback k for g { }\n")
    Path("g.dsl").write_text("callback k for gone { }\n")
    Path("part.dsl").write_text("mutex part;\n")
    Path("imports.dsl").write_text('import "part.dsl";\ncallback k for h { with part { skip; } }\n')
    Path("again.dsl").write_text('import "part.dsl";\ncallback m for h { with part { skip; } }\n')
    Path("context.dsl").write_text("context mine when has_l;\ncallback k for h { }\n")
    Path("claims.dsl").write_text("invariant owner(L) != none;\ncallback k for h { }\n")
    Path("bound.dsl").write_text("nesting 1;\ncallback k for h { }\n")
    Path("other.dsl").write_text(AROUND + "const HOW = false;\n")
    Path("whole.dsl").write_text(PROTOCOL + 'import "part.dsl";\nconst HOW = true;\n')
    if words == ["g.dsl"]:
        message = "no `gone.dsl` says what stands around"
    code, _, err = told("prove", "--contract", *words)
    assert code == 2, err
    assert message in err
