"""`formal conform`: real logs against the shipped models, lies in them, bad input, and the search against a plain enumeration."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from simulated_log import Simulated

from formal.cli import main
from formal.commands.mappings import fetch
from formal.conform import following, sieve
from formal.conform.checking import Checking
from formal.conform.log import BadLog
from formal.conform.mapping import Mapping
from formal.conform.mutating import mutants
from formal.conform.reading import read
from formal.engines import explicit
from formal.engines.protocol import Event, Finding, Options
from formal.frontend import load
from formal.interp import Machine, State
from formal.resources import schema_path
from formal.verdict import View

ROOT = Path(__file__).parent.parent
LOGS = ROOT / "tests" / "logs"
PLENTY = 200_000


def checking(model: Path, most: int = PLENTY, **defines: str) -> Checking:
    """Ready to follow logs under the model's own mapping."""
    mapping = read(str(model.with_suffix(".toml")), fetch)
    assert isinstance(mapping, Mapping), mapping
    loaded = load(str(model), {**mapping.parameters, **defines}, mapping.extra)
    assert loaded.program is not None, [one.render() for one in loaded.diagnostics]
    return Checking(Machine(loaded.program), mapping, most)


def lines(log: str) -> list[bytes]:
    return (LOGS / f"{log}.log").read_bytes().splitlines(keepends=True)


# ---------------------------------------------------------------- real logs


@pytest.mark.parametrize(
    ("model", "log", "observed"),
    [
        ("savevm_unlocked", "snapshot-save-assert", {"wrong_context": 141}),
        ("savevm_unlocked", "snapshot-save-unpatched", {"invariant.main_loop_under_bql": 87}),
        ("savevm_unlocked", "snapshot-save-access", {"invariant.main_loop_under_bql": 65}),
        ("savevm_posted_first", "snapshot-save-held-vcpu", {}),
        ("traces/migration_tcg_before", "migrate-unpatched", {}),
        ("traces/multifd_tcg_before", "multifd-migrate-unpatched", {}),
    ],
)
def test_the_logs_are_runs_of_the_models(model: str, log: str, observed: dict[str, int]) -> None:
    result = checking(ROOT / "models" / f"{model}.dsl").check(log, lines(log))
    assert result.status == "accepted"
    assert {one.prop: one.line for one in result.observed} == observed
    assert all(one.explanation for one in result.observed)
    assert result.coverage is not None
    assert len(result.coverage.covered) > len(result.coverage.missed)
    assert result.tally.mapped > 25
    assert all(len(names) == 1 for names in result.threads.values())


@pytest.mark.parametrize(
    ("model", "log", "line", "event"),
    [
        ("savevm_locked", "snapshot-save-unpatched", 68, "qemu_mutex_unlock"),  # the drop in qemu_savevm_state()
        ("savevm_locked", "snapshot-save-assert", 127, "qemu_mutex_unlock"),
        ("savevm_posted_first", "snapshot-save-assert", 127, "qemu_mutex_unlock"),
        ("savevm_locked", "snapshot-save-held-vcpu", 139, "thread_pool_complete"),  # a write before the drop around multifd's sync
        ("traces/migration_tcg_after", "migrate-unpatched", 51, "savevm_state_setup"),  # without the BQL
        ("traces/multifd_tcg_after", "multifd-migrate-unpatched", 67, "savevm_state_setup"),
        ("savevm_unlocked", "migrate-unpatched", 27, "migrate_set_state"),  # another protocol altogether
    ],
)
def test_other_models_reject_them(model: str, log: str, line: int, event: str) -> None:
    result = checking(ROOT / "models" / f"{model}.dsl").check(log, lines(log))
    assert result.status == "rejected"
    assert result.rejection is not None
    assert (result.rejection.event.number, result.rejection.event.name) == (line, event)
    assert result.rejection.fitting == result.tally.mapped - 1
    assert result.rejection.stood


def test_what_stands_in_the_way_is_named() -> None:
    result = checking(ROOT / "models/traces/migration_tcg_after.dsl").check("log", lines("migrate-unpatched"))
    assert result.rejection is not None
    assert [one.wait for one in result.rejection.stood] == ["it waits for BQL, which vcpu[0] holds"]
    assert [(one.thread, one.shown) for one in result.rejection.allowed] == [("vcpu[0]", "qemu_mutex_unlock softmmu/cpus.c:511")]


@pytest.mark.parametrize("model", ["savevm_locked", "savevm_unlocked", "savevm_resume"])
def test_what_a_run_does_beside_it_changes_no_verdict(model: str) -> None:
    found = []
    for extra in ((), (str(ROOT / "models/traces/run.dsl"),)):
        loaded = load(str(ROOT / f"models/{model}.dsl"), {}, extra)
        assert loaded.program is not None
        events: list[Event] = []
        explicit.run(loaded.program, Options(tuple(prop.name for prop in loaded.program.properties)), events.append)
        found.append({event.prop: event.verdict for event in events if isinstance(event, Finding)})
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("model", "log", "least"),
    [("savevm_unlocked", "snapshot-save-assert", 24), ("traces/multifd_tcg_before", "multifd-migrate-unpatched", 20)],
)
def test_lies_are_noticed(model: str, log: str, least: int) -> None:
    found = list(mutants(checking(ROOT / "models" / f"{model}.dsl"), log, lines(log), 30, seed=7))
    caught = [one for one in found if one.rejected is not None]
    assert len(caught) >= least
    assert all(one.rejected is not None for one in found if one.kind == "thread changed")
    assert all(one.rejected is not None and one.rejected >= one.line for one in caught)  # the log is right up to there
    assert all(one.why for one in found if one.rejected is None)


# ---------------------------------------------------------------- long logs


def simulated(seed: int = 3) -> tuple[Checking, list[bytes]]:
    made = checking(ROOT / "models/savevm_posted_first.dsl")
    return made, list(Simulated(made.machine, made.mapping, seed, 4000).lines(20_000))


def test_a_long_log_is_followed() -> None:
    made, log = simulated()
    result = made.check("log", log)
    assert (result.status, result.tally.mapped) == ("accepted", len(log))
    taken = next(number for number in range(15_000, len(log)) if b"qemu_mutex_locked" in log[number])
    rejected = made.check("log", [*log[: taken + 1], *log[taken:]]).rejection
    assert rejected is not None
    assert rejected.event.number == taken + 2


def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, log = simulated()
    monkeypatch.setattr(following, "KEPT", 300)
    result = made.check("log", log[:3000])
    assert (result.status, result.coverage) == ("accepted", None)
    monkeypatch.setattr(sieve, "LOOK_AHEAD", 100)  # one of the objects never shows its name
    assert made.check("log", log[:300]).tally.mapped == 300


# ---------------------------------------------------------------- the search against an enumeration

TINY = """protocol tiny "t";
mutex L;
bool flag = false;
thread w[2] { loop { lock L; work(); unlock L; } }
thread other { flag = true; lock L; unlock L; }
proc work() { choose { flag = !flag; } or { skip; } }
invariant never: !flag || !holds(other, L);
expect violated invariant.never;
"""
TINY_MAP = """[[rule]]
event = "take"
step = { takes = "L" }
[[rule]]
event = "give"
step = { gives = "L" }
[[rule]]
event = "flip"
step = { in = "work", changes = "flag" }
[[rule]]
event = "sees"
stands = { in = "work" }
"""


def tiny(tmp_path: Path, model: str = TINY, mapping: str = TINY_MAP, most: int = PLENTY) -> Checking:
    (tmp_path / "tiny.dsl").write_text(model)
    (tmp_path / "tiny.toml").write_text(mapping)
    return checking(tmp_path / "tiny.dsl", most)


def log(events: Iterable[tuple[int, str]]) -> list[bytes]:
    return [f"{thread}@17954085.231746:{event}\n".encode() for thread, event in events]


Node: TypeAlias = tuple[State, tuple[int, ...], tuple[tuple[int, str], ...]]  # the state, threads as they came, what was shown


def shown_by(machine: Machine, length: int) -> set[tuple[tuple[int, str], ...]]:
    """All logs of that many events at most, threads numbered from 1 as they come: every execution, step by step, nothing remembered but
    what was shown."""
    names = [thread.name for thread in machine.program.threads]
    first: Node = (machine.initial(), (), ())
    known, left = {first}, [first]
    while left:
        node = left.pop()
        for after in _further(machine, names, node):
            if len(after[2]) <= length and after not in known:
                known.add(after)
                left.append(after)
    return {events for _, _, events in known}


def _further(machine: Machine, names: list[str], node: Node) -> Iterator[Node]:
    state, order, events = node
    for thread, name in enumerate(names):
        place, view = machine.place(state, thread), machine.view(state)
        inside = place is not None and "work" in place.stack
        met = order if thread in order else (*order, thread)
        shown = (met.index(thread) + 1,)
        if inside:
            yield state, met, (*events, (*shown, "sees"))
        for outcome in machine.steps(state, thread):
            if outcome.after is not None:
                event = _event(view, machine.view(outcome.after), name, inside=inside)
                yield (outcome.after, order, events) if event is None else (outcome.after, met, (*events, (*shown, event)))


def _event(before: View, after: View, name: str, *, inside: bool) -> str | None:
    if before["L.owner"] != after["L.owner"]:
        return "take" if after["L.owner"] == name else "give"
    return "flip" if inside and before["flag"] != after["flag"] else None


def test_the_search_is_exact(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    shown = shown_by(made.machine, 6)
    letters = list(itertools.product((1, 2, 3), ("take", "give", "flip", "sees")))
    tried = 0
    for before in sorted(word for word in shown if len(word) < 6):
        met = len({thread for thread, _ in before})
        for letter in letters:
            if letter[0] <= met + 1:
                tried += 1
                word = (*before, letter)
                from_zero = [(thread - 1, event) for thread, event in word]  # an id is a number like others, 0 too
                assert (made.check("log", log(from_zero)).status == "accepted") == (word in shown), word
    assert tried > 500


FIRST = [(10, "take"), (10, "sees"), (10, "flip"), (10, "give")]


def test_threads_are_told_apart_and_violations_are_seen(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    accepted = made.check("log", log([*FIRST, (30, "take"), (30, "give"), (20, "take"), (20, "sees")]))
    assert accepted.status == "accepted"
    assert accepted.threads[10] == ("w[0]", "w[1]")
    assert accepted.threads[30] == ("other",)  # the two others were seen at work
    rejected = made.check("log", log([(10, "take"), (20, "give")])).rejection
    assert rejected is not None
    assert (rejected.event.number, rejected.known, rejected.previous) == (2, True, 1)
    only_other = TINY_MAP.replace('event = "take"\nstep = { takes = "L" }', 'event = "take"\nstep = { takes = "L", thread = "other" }')
    seen = tiny(tmp_path, mapping=only_other).check("log", log([(5, "take")]))
    assert [(one.prop, one.line) for one in seen.observed] == [("invariant.never", 1)]


BRANCHES = """protocol tiny "t";
mutex L;
0..2 x = 0;
thread w { choose { x = 1; } or { x = 2; } lock L; assert fine: x != 1 "…"; unlock L; }
invariant small: x <= BOUND || !holds(w, L);
expect violated assert.fine;
"""
LOCKS = '[[rule]]\nevent = "take"\nstep = { takes = "L" }\n[[rule]]\nevent = "give"\nstep = { gives = "L" }\n'


@pytest.mark.parametrize(
    ("model", "observed"),
    [
        (BRANCHES.replace("BOUND", "2"), set()),  # it may have gone the other way
        (BRANCHES.replace("BOUND", "1"), set()),
        (BRANCHES.replace("BOUND", "0"), {"invariant.small"}),
        (BRANCHES.replace("BOUND", "2").replace("x = 2", "x = 1"), {"assert.fine"}),
    ],
)
def test_only_what_cannot_be_otherwise_was_observed(tmp_path: Path, model: str, observed: set[str]) -> None:
    result = tiny(tmp_path, model, LOCKS).check("log", log([(1, "take")]))
    assert result.status == "accepted"
    assert {one.prop for one in result.observed} == observed


def test_what_a_log_reaches(tmp_path: Path) -> None:
    coverage = tiny(tmp_path, BRANCHES.replace("BOUND", "2"), LOCKS).check("log", log([(1, "take")])).coverage
    assert coverage is not None
    assert {one.text for one in coverage.missed} == {'assert fine: x != 1 "…"', "unlock L"}
    assert {"x = 1", "x = 2", "lock L"} <= {one.text for one in coverage.covered}


REACHABLE = '[start]\nfrom = "reachable"\n'
BEGINS = '[start]\nevent = "begin"\n'
ENDS = '[end]\nevent = "end"\n'
TWICE = '[[rule]]\nevent = "take"\nmatch = "^$"\nstep = { takes = "L" }\n'
ALONE = '[[fused]]\nstep = { in = "work", changes = "flag" }\nthrough = "work"\nwhy = "w"\n'
NOT_X = '[objects.X]\nevent = "see"\nmatch = "(.)"\n[only.take]\nother_than = "X"\nmatch = "(.)"\n'


@pytest.mark.parametrize(
    ("extra", "events", "status"),
    [
        ("", [(1, "give")], "rejected"),  # nobody has it in the beginning
        (REACHABLE, [(1, "give"), (1, "take")], "accepted"),
        (REACHABLE, [(1, "give"), (2, "give")], "rejected"),
        (BEGINS, [(1, "give"), (1, "begin"), (1, "take")], "accepted"),
        (BEGINS, [(1, "take"), (1, "begin"), (1, "give")], "rejected"),
        (ENDS, [(1, "take"), (1, "end"), (1, "take")], "accepted"),
        (TWICE, [(1, "take"), (1, "give"), (1, "give")], "rejected"),
        (ALONE, [(1, "take"), (1, "give"), (2, "take")], "accepted"),
        (NOT_X, [(1, "take"), (1, "see x"), (2, "take x")], "accepted"),
        (NOT_X, [(1, "take"), (1, "see x"), (2, "take y")], "rejected"),
    ],
)
def test_what_a_mapping_can_say(tmp_path: Path, extra: str, events: Sequence[tuple[int, str]], status: str) -> None:
    assert tiny(tmp_path, mapping=TINY_MAP + extra).check("log", log(events)).status == status


def test_an_optional_step_may_go_unlogged(tmp_path: Path) -> None:
    mapping = TINY_MAP.replace('step = { gives = "L" }', 'step = { gives = "L" }\noptional = true')
    twice = log([(1, "take"), (2, "take")])
    assert tiny(tmp_path, mapping=mapping).check("log", twice).status == "accepted"
    assert tiny(tmp_path).check("log", twice).status == "rejected"


def test_too_many_states_are_no_answer(tmp_path: Path) -> None:
    result = tiny(tmp_path, most=2).check("log", log([(1, "take")]))
    assert (result.status, result.coverage) == ("undecided", None)
    assert "more than 2 states" in result.why_undecided


# ---------------------------------------------------------------- bad input

HEAD = "17040@1795408597.231746:"


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (b"", "E0811", None),
        (b"# only this\n\n", "E0811", None),
        (b"take x\n", "E0812", 1),
        (f"{HEAD}kvm_run_exit 1\n".encode(), "E0813", None),
        (f"{HEAD}take\nSegmentation fault\n".encode(), "E0814", 2),
        (f"{HEAD}take\n{HEAD}ta".encode(), "E0815", 2),
        (f"{HEAD}take".encode(), "E0815", 1),
        (f"{HEAD}take{HEAD}give\n".encode(), "E0816", 1),
        (f"{HEAD}pf\nta{HEAD}give\n".encode(), "E0816", 2),
        (b"\x7fELF\x00\xff\xfe\n", "E0817", 1),
        (f"{HEAD}take \x00\n".encode(), "E0817", 1),
    ],
)
def test_bad_logs(tmp_path: Path, text: bytes, code: str, line: int | None) -> None:
    with pytest.raises(BadLog) as bad:
        tiny(tmp_path).check("log", text.splitlines(keepends=True))
    found = bad.value.diagnostic
    assert (found.code.code, found.span and found.span.line) == (code, line)
    assert found.render()


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("[[rule]\n", "E0801", 1),
        ('[[rule]]\nevent = "a"\nstep = { takes = "L" }\nevnt = 1\n', "E0802", 4),
        ('[[rule]]\nevent = "a"\n', "E0802", 1),
        ('[[rule]]\nevent = "a"\nmatch = "("\nstep = { takes = "L" }\n', "E0802", 3),
        ('[[rule]]\nevent = "a"\nstands = { takes = "L" }\n', "E0802", 3),
        ('[[rule]]\nstep = { takes = "L" }\n', "E0802", 1),
        ('[start]\nfrom = "nowhere"\n', "E0802", 2),
        ('[end]\nmatch = "x"\n', "E0802", 2),
        ('[[ignore]]\nevent = "a"\n', "E0802", 1),
        ("with = 3\n", "E0802", 1),
        ('include = "tiny.toml"\n', "E0802", 1),
        ('include = "nowhere.toml"\n', "E0101", None),
        ('[objects.L]\nevent = "a"\nmatch = "x"\n', "E0802", 3),
        ('[only.take]\nobject = "X"\nmatch = "(x)"\n', "E0803", 2),
        ('[[rule]]\nevent = "a"\nstep = { takes = "M" }\n', "E0803", 1),
        ('[[rule]]\nevent = "a"\nstep = { in = "wrk" }\n', "E0803", 1),
        ('[[rule]]\nevent = "a"\nstep = { label = "nowhere" }\n', "E0803", 1),
        ('[[rule]]\nevent = "a"\nmatch = "(?P<n>x)"\nstep = { in = "w[{m}]" }\n', "E0803", 4),
    ],
)
def test_bad_mappings(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: str, line: int | None) -> None:
    (tmp_path / "tiny.dsl").write_text(TINY)
    (tmp_path / "tiny.toml").write_text(text)
    (tmp_path / "x.log").write_bytes(b"".join(log([(1, "take")])))
    assert main(("conform", str(tmp_path / "tiny.dsl"), str(tmp_path / "x.log"))) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"error[{code}]" in told.err
    assert line is None or f"tiny.toml:{line}:" in told.err


# ---------------------------------------------------------------- the command


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    tiny(tmp_path)
    (tmp_path / "good.log").write_bytes(b"".join(log([(1, "take"), (1, "give")])))
    (tmp_path / "bad.log").write_bytes(b"".join(log([(1, "take"), (2, "take")])))
    code = main(("conform", str(tmp_path / "tiny.dsl"), *(str(tmp_path / one) if one.endswith(".log") else one for one in words)))
    return (code, *capsys.readouterr())


def test_exit_codes_and_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(tmp_path, capsys, "good.log")
    assert (code, "accepted" in out) == (0, True)
    code, out, _ = run(tmp_path, capsys, "good.log", "bad.log")
    assert code == 1
    assert "bad.log: rejected at line 2" in out
    assert "it waits for L, which w[0] holds" in " ".join(out.split())
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)
    assert run(tmp_path, capsys, "missing.log")[0] == 2
    assert run(tmp_path, capsys, "good.log", "--format", "yaml")[0] == 2
    (tmp_path / "alone.dsl").write_text(TINY)
    assert main(("conform", str(tmp_path / "alone.dsl"), "x")) == 2
    assert "E0804" in capsys.readouterr().err


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(tmp_path, capsys, "good.log", "bad.log", "--format", "json", "--mutate", "3")
    Draft202012Validator(json.loads(schema_path("conform").read_text())).validate(json.loads(out))
    good, mutated, bad = json.loads(out)
    assert code == 1
    assert (good["verdict"], good["rejection"], good["events"]["mapped"]) == ("accepted", None, 2)
    assert [one["kind"] for one in mutated["mutants"]] == ["dropped", "swapped", "thread changed"]
    assert (bad["verdict"], bad["rejection"]["line"], bad["rejection"]["thread_id"]) == ("rejected", 2, 2)


def test_memory_is_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("formal.commands.conform.STATE", 1024 * 1024)
    code, out, _ = run(tmp_path, capsys, "good.log", "--memory", "1")
    assert (code, "undecided" in out) == (3, True)
    _, out, _ = run(tmp_path, capsys, "good.log", "--memory", "1", "--format", "json")
    Draft202012Validator(json.loads(schema_path("conform").read_text())).validate(json.loads(out))
