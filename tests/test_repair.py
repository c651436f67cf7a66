"""`formal repair`: what it finds is all there is, and no smaller; and what it says of it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from tools import Told

from formal.commands.confirming import asked
from formal.engines.explicit import run
from formal.engines.protocol import Event, Finding, Options
from formal.executor.calls import PROCESSES
from formal.executor.crew import crew
from formal.frontend import load, load_text
from formal.repair.edits import Act, Deletion, Edit, Insertion, Offer, offer
from formal.repair.operations import Kind, operations
from formal.repair.questions import Question
from formal.repair.search import Found, Model, Plan, acts_of, search, within
from formal.repair.texts import changed, edited, files_of
from formal.resources import schema_path
from formal.rewriting.flattening import flat
from formal.smt.solver import Answer, Session
from formal.verdict import Verdict

COST = 3
ROOT = Path(__file__).resolve().parent.parent


def the_text(pick: random.Random) -> str:
    """A small model with one lock, which may be taken through a procedure, and where it may be needed, or in the way."""
    takes, gives = ("take();", "give();") if pick.random() < 0.5 else ("lock m;", "unlock m;")
    parts = [takes, gives, "touch();", "skip;", "wait s;", "post s;", "assert holds(m);", "choose { touch(); } or { skip; }"]

    def body() -> str:
        """What is right, with some other statement in it, and then one thing wrong: gone, or elsewhere."""
        chosen = [takes, "touch();", gives]
        for _ in range(pick.randint(0, 2)):
            chosen.insert(pick.randint(0, len(chosen)), pick.choices(parts, weights=[1, 1, 3, 2, 1, 2, 1, 2])[0])
        wrong = chosen.pop(pick.randrange(len(chosen)))
        if pick.random() < 0.3:
            chosen.insert(pick.randint(0, len(chosen)), wrong)
        return " ".join(chosen)

    return f"""protocol small "generated";
mutex m;
sem s max 2 = 1;
thread_local bool owns = false;
0..2 n = 0;
proc take() {{ atomic {{ lock m; owns = true; }} }}
proc give() {{ atomic {{ unlock m; owns = false; }} }}
proc touch() requires holds(m) {{ n = 1 - n; }}
thread a {{
    {body()}
    there: skip;
}}
thread b {{
    {body()}
}}
deadlock free;
invariant apart: at(a, a.there) implies !holds(b, m);
"""


def violated(path: Path, texts: dict[str, str]) -> bool:
    """Whether some property of the model with these texts is violated, by the ordinary engine."""
    program = load(str(path), None, (), {Path(file): text for file, text in texts.items()}).program
    if program is None:
        return True
    verdicts: list[Verdict] = []

    def tell(event: Event) -> None:
        if isinstance(event, Finding):
            verdicts.append(event.verdict)

    run(program, Options(tuple(prop.name for prop in program.properties)), tell)
    return any(verdict is not Verdict.PROVED for verdict in verdicts)


def sets_of(offered: Offer, most: int) -> Iterator[tuple[Edit, ...]]:
    """All sets of edits that cost no more, with at most one at each place."""
    for size in range(most + 1):
        for chosen in combinations(offered.edits, size):
            if sum(edit.cost for edit in chosen) <= most and _at_different_places(offered, chosen):
                yield chosen


def _at_different_places(offered: Offer, chosen: Sequence[Edit]) -> bool:
    acts = [act for edit in chosen for act in edit.acts]
    if len(set(acts)) < len(acts):
        return False
    return all(sum(bool(gap.intersection(edit.acts)) for edit in chosen) <= 1 for gap in offered.gaps)


def by_force(path: Path, offered: Offer, most: int) -> set[frozenset[Edit]]:
    """Every set of edits tried as text; those that are no repair and those with a smaller one in them left out."""
    program = load(str(path)).program
    assert program is not None
    sources = files_of(program.sources)
    spelled = operations(program, "m").spelled
    good = [one for one in sets_of(offered, most) if not violated(path, changed(sources, acts_of(one), spelled))]
    return {frozenset(one) for one in good if not any(other != one and within(other, one) for other in good)}


def searched(path: Path, cost: int | None, bodies: frozenset[str] | None = None) -> Found:
    program = load(str(path)).program
    assert program is not None
    models = [Model(program, Question(str(path), {}, (), 60.0))]
    with crew(PROCESSES, 2) as made:
        return search(models, Plan("m", bodies, cost, cost or 6, time.monotonic() + 120, 2, asked), made)


def test_it_finds_all_there_is_and_no_more(tmp_path: Path) -> None:
    """Against every set of edits, tried one by one as text."""
    repaired = 0
    for seed in (1, 3, 7, 17, 35):
        path = tmp_path / f"m{seed}.dsl"
        path.write_text(the_text(random.Random(seed)), encoding="utf-8")
        program = load(str(path)).program
        assert program is not None
        flattened = flat(program)
        offered = offer([(flattened, operations(flattened, "m"))], None)
        found = searched(path, COST)
        assert not found.open
        assert not found.stopped
        assert {frozenset(one.edits) for one in found.repairs} == by_force(path, offered, COST), path.read_text(encoding="utf-8")
        repaired += bool(found.repairs)
    assert repaired > 1


# ---------------------------------------------------------------- the command

FORGOTTEN = """protocol forgotten "a way out on which the lock is kept";
mutex m;
0..9 n = 0;
proc work() {
    lock m;
    choose {
        assert held: holds(m) "n changes under it";
        n = 1;
    } or {
        out: skip; return;                       // m is kept
    }
    unlock m;
}
thread t[2] { work(); }
deadlock free;
// Repair: insert `unlock m` * in work: other ways out are not in this model
"""


@pytest.fixture
def forgotten(tmp_path: Path) -> Path:
    path = tmp_path / "forgotten.dsl"
    path.write_text(FORGOTTEN, encoding="utf-8")
    return path


def test_a_forgotten_unlock_is_put_where_it_belongs(told: Told, forgotten: Path) -> None:
    code, out, _ = told("repair", str(forgotten), "--lock", "m", "--in", "work")
    assert code == 0
    assert "deadlock.partial" in out or "deadlock.global" in out
    assert "insert `unlock m` before `return` in work" in out
    assert "+        out: skip; unlock m; return;  " in out
    assert "outside of the models: other ways out are not in this model" in out
    assert "of the least cost, 2" in out


def test_json_keeps_its_contract_and_what_is_saved_is_proved_again(told: Told, forgotten: Path, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    code, out, _ = told("repair", str(forgotten), "--lock", "m", "--in", "work", "--format", "json", "--save", str(folder))
    document = json.loads(out)
    schema = json.loads(schema_path("repair").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert code == 0
    assert document["cost"] == 2
    first = document["repairs"][0]
    assert {one["name"] for one in first["proved"][0]["properties"]} >= {"deadlock.global", "relock", "not_owner"}
    saved = Path(first["saved"])
    assert load(str(saved / "forgotten.dsl")).program is not None
    assert "+" in (saved / "repair.diff").read_text(encoding="utf-8")
    records = list(saved.glob("*.json"))
    assert len(records) == 1
    assert told("recheck", str(records[0]))[0] == 0


def test_where_no_edit_helps(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "hopeless.dsl"
    path.write_text('protocol hopeless ""; mutex m; 0..9 n = 0; thread t { lock m; n = 1; unlock m; } invariant n == 0;', encoding="utf-8")
    code, out, _ = told("repair", str(path), "--lock", "m")
    assert code == 1
    assert "under every set of these edits a property is violated" in out


def test_a_bound_is_told(told: Told, forgotten: Path) -> None:
    code, out, _ = told("repair", str(forgotten), "--lock", "m", "--in", "work", "--cost", "1")
    assert code == 3
    assert "no repair that costs up to 1" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--lock", "BQL"), "`BQL` is no mutex"),
        (("--lock", "m", "--in", "wrok"), "did you mean `work`?"),
        (("--lock", "m", "--format", "html"), "unknown format"),
        (("--lock", "m", "--executor", "dask:nowhere"), "repair works here"),
    ],
)
def test_mistakes_in_the_command_line(told: Told, forgotten: Path, words: tuple[str, ...], said: str) -> None:
    code, out, err = told("repair", str(forgotten), *words)
    assert code == 2
    assert not out
    assert said in err


def test_nothing_to_repair(told: Told) -> None:
    code, _, err = told("repair", str(ROOT / "models/classic/abba_ordered.dsl"), "--lock", "A")
    assert code == 2
    assert "nothing to repair" in err


def test_ctrl_c_in_the_middle_of_a_choice(forgotten: Path, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver takes the signal for itself, and says so."""
    monkeypatch.setattr(Session, "ask", lambda _session, *_assumptions: Answer.UNKNOWN)
    monkeypatch.setattr(Session, "reason", lambda _session: "interrupted from keyboard")
    code, out, _ = told("repair", str(forgotten), "--lock", "m")
    assert code == 130
    assert "no repair so far: interrupted" in out


# ---------------------------------------------------------------- the models


def test_the_fix_of_qemu_is_among_the_repairs(told: Told) -> None:
    """What 930e239d11 changes for snapshots, and what is as small and was not taken; and whether a migration would live with it."""
    words = ("--in", "qemu_savevm_state", "ram_init_bitmaps", "ram_save_setup", "--beside", "models/multifd_sync_before.dsl")
    code, out, _ = told("repair", "models/savevm_unlocked.dsl", "--lock", "BQL", *words, "--format", "json")
    repairs = {tuple(edit["name"] for edit in one["edits"]): one for one in json.loads(out)["repairs"]}
    upstream = repairs.pop(
        (
            "delete `callback_takes_bql()` … `callback_gives_bql_back()` in ram_init_bitmaps",
            "delete `qemu_mutex_unlock_iothread()` … `qemu_mutex_lock_iothread()` in qemu_savevm_state",
        )
    )
    assert code == 0
    assert upstream["beside"][0]["violated"] == ["requires.memory_region_transaction_commit"]
    assert upstream["diff"].count("\n-  ") == 4
    (other,) = repairs
    assert other == ("insert `qemu_mutex_lock_iothread()` … `qemu_mutex_unlock_iothread()` around `qemu_fflush()` in ram_save_setup",)
    assert repairs[other]["beside"][0]["verdict"] == "proved"


def test_what_is_right_for_migrations_too(told: Told) -> None:
    """930e239d11 as a whole: the unlock around the synchronisation where multifd is on, the pair around the setup for migrations."""
    models = ("models/savevm_unlocked.dsl", "models/multifd_sync_before.dsl")
    words = ("--in", "qemu_savevm_state", "ram_init_bitmaps", "ram_save_setup", "migration_thread", "--cost", "6", "-D", "VCPUS=1")
    code, out, _ = told("repair", *models, "--lock", "BQL", *words, "--format", "json")
    repairs = [{edit["name"] for edit in one["edits"]} for one in json.loads(out)["repairs"]]
    pair = "`qemu_mutex_lock_iothread()` … `qemu_mutex_unlock_iothread()`"
    gap = "`qemu_mutex_unlock_iothread()` … `qemu_mutex_lock_iothread()`"
    assert code == 0
    assert {
        "delete `callback_takes_bql()` … `callback_gives_bql_back()` in ram_init_bitmaps",
        f"delete {gap} in qemu_savevm_state",
        f"insert {gap} around `multifd_send_sync_main()` in ram_save_setup",
        f"insert {pair} around `qemu_savevm_state_setup()` in migration_thread",
    } in repairs


@pytest.mark.slow
def test_all_that_is_right_for_snapshots_and_migrations(told: Told) -> None:
    """In whatever body: the list, as it was found when each counterexample was told to the solver by itself, and each candidate made as
    narrow as there is."""
    models = ("models/savevm_unlocked.dsl", "models/multifd_sync_before.dsl")
    code, out, _ = told("repair", *models, "--lock", "BQL", "--cost", "6", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["stopped"] is None
    wanted = (ROOT / "tests/data/savevm_and_multifd.repairs").read_text(encoding="utf-8").splitlines()
    assert [f"{one['cost']}: {'; '.join(edit['name'] for edit in one['edits'])}" for one in found["repairs"]] == wanted


# ---------------------------------------------------------------- texts

SPELLED: dict[Kind, str] = {"lock": "lock m;", "unlock": "unlock m;"}


def at(text: str, statement: str) -> tuple[str, int, int]:
    start = text.index(statement)
    return "f", start, start + len(statement)


@pytest.mark.parametrize(
    ("text", "act", "wanted"),
    [
        ("    a();  // why\n    b();\n", lambda t: Deletion(at(t, "a();")), "    b();\n"),
        ("{ a(); b(); }\n", lambda t: Deletion(at(t, "a();")), "{  b(); }\n"),
        ("    here: a();\n", lambda t: Insertion(at(t, "a();"), False, "lock"), "    lock m;\n    here: a();\n"),
        ("{ here: a(); }", lambda t: Insertion(at(t, "a();"), True, "unlock"), "{ here: a(); unlock m; }"),
        ("  if (x) {\n    a();\n  }\n", lambda t: Insertion(at(t, t.strip()), True, "lock"), "  if (x) {\n    a();\n  }\n  lock m;\n"),
    ],
)
def test_acts_on_texts(text: str, act: Callable[[str], Act], wanted: str) -> None:
    assert edited(text, [act(text)], SPELLED) == wanted


def test_nothing_is_put_before_the_if_of_an_else_if() -> None:
    text = 'protocol p ""; mutex m; bool x = false; thread t { if (x) { skip; } else if (!x) { skip; } } deadlock free;'
    program = load_text(text).program
    assert program is not None
    program = flat(program)
    offered = offer([(program, operations(program, "m"))], None)
    inner = text.index("if (!x)")
    assert offered.edits
    assert not any(act.key[1] == inner for edit in offered.edits for act in edit.acts)
